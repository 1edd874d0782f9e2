"""Kills a build in every node, each at another of the statements it sends: `python -m tests.proofs.killed_builds`.

The project is read once; each build is a fork of this process. Prints the names of the nodes that were killed. With a
number N, nodes that are made in the same way are many, and one in N is killed.
"""

import json
import os
import signal
import sys
from itertools import count

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ManifestNode

from tests.imported import MANIFEST


def main() -> int:
    """Kill a build in each model, seed and snapshot; return 1 if one of them could not be killed."""
    killed = []
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    for number, node in enumerate(chosen(MANIFEST, every)):
        # Another statement for each node; a node that sends fewer is killed when it ends.
        if not _killed(MANIFEST, node.name, statement=2 + number % 5):
            print(f"{node.name} went through", file=sys.stderr)
            return 1
        killed.append(node.name)
    print(json.dumps(killed))
    return 0


def chosen(manifest: Manifest, every: int) -> list[ManifestNode]:
    """Return one in `every` of the nodes that make something, at least one of each way of making it, by name."""
    ways: dict[str, list[ManifestNode]] = {}
    for node in sorted(manifest.nodes.values(), key=lambda node: node.name):
        if node.resource_type in ("model", "seed", "snapshot"):
            ways.setdefault(node.config.materialized, []).append(node)
    return [node for nodes in ways.values() for node in nodes[::every]]


def _killed(manifest: Manifest, name: str, statement: int) -> bool:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    sent = count(1)

    def watch(event: object) -> None:
        kind, info = event.info.name, getattr(event.data, "node_info", None)
        if info is None or info.node_name != name:
            return
        if (kind == "SQLQuery" and next(sent) == statement) or kind == "NodeFinished":
            os.kill(os.getpid(), signal.SIGKILL)

    dbtRunner(manifest=manifest, callbacks=[watch]).invoke(["--quiet", "build", "--select", name])
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
