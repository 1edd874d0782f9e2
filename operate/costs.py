"""What a build costs beside time: the memory that it had while each model was built, the room that each table takes."""

import threading
from collections import defaultdict
from pathlib import Path

import duckdb
import psutil

BYTES = """
    select count(distinct block_id) * (
        select block_size from pragma_database_size() where database_name = current_database()
    )
    from pragma_storage_info(?) where persistent
"""


class MemoryWatch:
    """Looks at the memory of this process all the time and keeps the most it had while each node was built.

    Give `seen` to `dbtRunner` as a callback, and the watch to `with`. `peaks` is then bytes by the node's name, what is
    built at the same time counts for both; `run_id` is dbt's.
    """

    def __init__(self, every: float = 0.02) -> None:
        """Look every so many seconds."""
        self.peaks: dict[str, int] = defaultdict(int)
        self.every = every
        self.run_id = ""
        self.building: set[str] = set()
        self.ended = threading.Event()
        self.process = psutil.Process()

    def __enter__(self) -> "MemoryWatch":
        """Begin to look."""
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        """Look no more."""
        self.ended.set()
        self.thread.join()

    def seen(self, event: object) -> None:
        """Take note of an event of dbt: a node begins, or is done."""
        if event.info.name == "NodeStart":
            self.run_id = event.info.invocation_id
            self.building.add(event.data.node_info.node_name)
            self.note()
        elif event.info.name == "NodeFinished":
            self.note()
            self.building.discard(event.data.node_info.node_name)

    def look(self) -> None:
        """Take note of the memory until the end."""
        while not self.ended.wait(self.every):
            self.note()

    def note(self) -> None:
        """Take note of the memory that there is now."""
        memory = self.process.memory_info().rss
        for name in self.building.copy():
            self.peaks[name] = max(self.peaks[name], memory)


def complete(warehouse: Path, watch: MemoryWatch) -> None:
    """Add to what `operations.run_costs` says of the run that was watched the bytes of its tables, its peaks of memory.

    Bytes are those of the blocks that hold a table, once all of it is written to the file. Does nothing when the run
    did not build so far as to have that table.
    """
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("checkpoint")
        if not connection.sql("from duckdb_tables() where schema_name || '.' || table_name = 'operations.run_costs'"):
            return
        built = connection.execute(
            "select schema_name, model, table_rows from operations.run_costs where run_id = ?", [watch.run_id]
        ).fetchall()
        for schema, model, rows in built:
            size = None
            if rows is not None:
                (size,) = connection.execute(BYTES, [f"{schema}.{model}"]).fetchone()
            connection.execute(
                "update operations.run_costs set table_bytes = ?, peak_memory_bytes = ? where run_id = ? and model = ?",
                [size, watch.peaks.get(model), watch.run_id, model],
            )
