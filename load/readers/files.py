"""Text files from a folder or a bucket, read as they are and never given up on.

`land_files` walks a folder (or any fsspec URL), skips every file that the manifest knows by path, size and hash, and
hands the bytes of the others to a parser that cuts them into records. Outcomes are defined for files as they come:

| in the file | lands as |
|---|---|
| byte order mark at the start | stripped: it belongs to the file, not to the first record |
| LF or CRLF line ends, none at the end of the file | stripped from the record |
| blank line | a record with an empty payload |
| bytes that are not UTF-8 | payload with U+FFFD in their place, the exact bytes in payload_bytes |
| NUL bytes | kept |
| gzip, whatever the name says; several gzip members | unpacked |
| gzip that is cut short or damaged | all that can be unpacked, the last record perhaps half; noted in the manifest |
| packed in another way, or no text (zip, Zstandard, Parquet, …) | nothing; the source fails and names the file |
| empty file | no record, one row in the manifest |
| file that grew or changed | only the (line, content) pairs that are new |

Memory stays flat whatever the size of a file: blocks of about 8 MB, one line alone may be larger.
"""

import contextlib
import hashlib
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
from fsspec.core import url_to_fs
from isal import isal_zlib

from load.landing import KnownFile, Reading, Run, SourceFailed

BLOCK_BYTES = 8 * 1024 * 1024
READ_BYTES = 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
NO_TEXT = {
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "packed with Zstandard",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"PAR1": "Parquet",
    b"Obj\x01": "Avro",
}
SETTLED_SECONDS = 2.0
"""A file that changed this shortly before it was read may change again without the file system's clock showing it."""

Parser = Callable[[Iterator[bytes], str], Iterator[pa.Table]]
"""From the unpacked bytes and the path of a file to tables of payload, payload_bytes, source_line, content_hash, and
fields where the format has them."""


@dataclass(frozen=True)
class SourceFile:
    """A file of a source: its path below the source's URL, where to open it, and its size as stored."""

    path: str
    filesystem: fsspec.AbstractFileSystem
    location: str
    bytes: int
    etag: str | None
    stamp: str | None
    """What a local file system says of its last change: inode and times. No program can set all of them back."""
    changed_at: float


def list_files(source: str, url: str) -> list[SourceFile]:
    """Return the files below a folder or bucket URL (or the one file it names), sorted by path.

    Hidden files, those that begin with an underscore and `*.tmp` are left to whoever writes them.
    Raises SourceFailed when there is nothing at the URL.
    """
    variable = f"SOURCES__{source.upper()}__URL"
    try:
        filesystem, root = url_to_fs(url)
        found = filesystem.find(root, detail=True)
    except ImportError as error:
        raise SourceFailed(f"{source}: {url} needs another package: {error}") from error
    except OSError as error:
        raise SourceFailed(f"{source}: cannot list {url}: {error}. Check {variable} and the rights on it.") from error
    if not found and not filesystem.exists(root):
        raise SourceFailed(
            f"{source}: there is no {url}. Check {variable}, where a relative path starts from the current folder."
        )
    root = root.rstrip("/")
    files = []
    for location, info in found.items():
        path = location[len(root) :].lstrip("/") or location.rsplit("/", 1)[-1]
        hidden = any(part.startswith((".", "_")) for part in path.split("/"))
        if info.get("type") == "file" and not hidden and not path.endswith(".tmp"):
            etag = info.get("ETag") or info.get("etag") or info.get("md5Hash")
            times = [info.get(key) for key in ("ino", "mtime", "created")]
            stamp = None if None in times else "/".join(map(str, times))
            changed_at = max(float(time) for time in times[1:]) if stamp else 0.0
            files.append(SourceFile(path, filesystem, location, info.get("size") or 0, etag, stamp, changed_at))
    return sorted(files, key=lambda file: file.path)


def land_files(run: Run, table: str, url: str, parse: Parser) -> Iterator[Any]:
    """Yield, for dlt, the new records of all files below `url` and a manifest row for each file that was read.

    A file that cannot be opened or read is reported and tried again by the next run; the others land.
    """
    known_files = run.landed_before.files(table)
    key = tuple(name for name in ("source_line", "content_hash", "fields") if name in run.tables[table].names)
    for file in list_files(run.source, url):
        known = known_files.get(file.path)
        if known and _is_unchanged(run, table, file, known):
            run.skip(known.records)
            continue
        reading = run.start(table, file.path, run.landed_before.keys(table, key, file.path) if known else None)
        stored = StoredBytes(file, reading)
        try:
            for records in parse(stored.unpacked(), file.path):
                _remark(run, records)
                yield from run.land(reading, records)
            reading.file_hash, reading.file_stamp = stored.fingerprint(), _settled(file)
            reading.worth_noting = True
        except OSError as error:
            message = f"cannot read {file.path}: {error}. The next run tries again"
            reading.note(message)
            run.fail(f"{run.source}: {message}")
        if stored.damage:
            reading.note(f"{stored.damage} after line {reading.read:,}; read again when the file changes")
        yield from run.finish(reading)


def _remark(run: Run, records: pa.Table) -> None:
    foreign = records.column("payload_bytes")
    run.remark("records are not UTF-8: their bytes are in payload_bytes", len(foreign) - foreign.null_count)
    if "fields" in records.column_names:
        misfits = pc.and_(pc.is_null(records.column("fields")), pc.not_equal(records.column("payload"), ""))
        run.remark("records do not fit the header of their file: fields is null", pc.sum(misfits).as_py() or 0)


def _is_unchanged(run: Run, table: str, file: SourceFile, known: KnownFile) -> bool:
    """Tell by a bucket's etag, by the file system's stamp or by its content whether a file is the one that was read."""
    if known.bytes != file.bytes or known.file_hash is None:
        return False
    if file.etag or (file.stamp and file.stamp == known.file_stamp):
        return not file.etag or known.file_hash == _etag(file)
    if known.file_hash != _content_hash(run, file):
        return False
    if _settled(file):
        run.restamp(
            Reading(table, file.path, datetime.now(UTC), None, known.file_hash, file.stamp, file.bytes, known.records)
        )
    return True


def _settled(file: SourceFile) -> str | None:
    return file.stamp if file.changed_at < time.time() - SETTLED_SECONDS else None


def _etag(file: SourceFile) -> str:
    return f"etag:{file.etag}"


def _content_hash(run: Run, file: SourceFile) -> str | None:
    """Return the hash of a file as stored, without unpacking it."""
    digest = hashlib.sha256()
    run.progress(file.path, run.landed)
    try:
        with file.filesystem.open(file.location, "rb") as stream:
            while chunk := stream.read(READ_BYTES):
                digest.update(chunk)
    except OSError:
        return None
    return digest.hexdigest()


class StoredBytes:
    """The bytes of a file, unpacked if they are gzip, hashed as they are stored while they pass by."""

    def __init__(self, file: SourceFile, reading: Reading) -> None:
        """Count the bytes of `file` in `reading`."""
        self.file, self.reading = file, reading
        self.digest = hashlib.sha256()
        self.damage: str | None = None

    def fingerprint(self) -> str:
        """Return the hash of what was read, or the bucket's own."""
        return _etag(self.file) if self.file.etag else self.digest.hexdigest()

    def unpacked(self) -> Iterator[bytes]:
        """Yield the content in pieces of at most 8 MB, without a byte order mark.

        Raises OSError when it cannot be read or is no text.
        """
        yield from without_mark(self._unpacked())

    def _unpacked(self) -> Iterator[bytes]:
        with self.file.filesystem.open(self.file.location, "rb") as stream:
            stored = self._stored(stream)
            first = next(stored, b"")
            for magic, kind in NO_TEXT.items():
                if first.startswith(magic):
                    raise OSError(f"it is {kind}; text or gzip can be read")
            if first.startswith(GZIP):
                yield from self._gunzipped(chain([first], stored))
            else:
                yield first
                yield from stored

    def _stored(self, stream: Any) -> Iterator[bytes]:
        self.reading.bytes = 0
        while chunk := stream.read(READ_BYTES):
            self.digest.update(chunk)
            self.reading.bytes += len(chunk)
            yield chunk

    def _gunzipped(self, stored: Iterator[bytes]) -> Iterator[bytes]:
        given = 0
        try:
            for piece in gunzip(stored, isal_zlib.decompressobj):
                given += len(piece)
                yield piece
        except EOFError:
            self.damage = "gzip is cut short"
        except isal_zlib.error:
            self.damage = "gzip is damaged"
            yield from self._until_damage(given)
            for _ in stored:
                pass  # the hash is of the whole file

    def _until_damage(self, given: int) -> Iterator[bytes]:
        # A call that fails keeps what it had unpacked to itself, so the file is read again in ever smaller bites.
        for bite in (4096, 16):
            unpacked = 0
            with (
                self.file.filesystem.open(self.file.location, "rb") as stream,
                contextlib.suppress(EOFError, zlib.error),
            ):
                for piece in gunzip(iter(lambda bite=bite, stream=stream: stream.read(bite), b""), zlib.decompressobj):
                    unpacked += len(piece)
                    if unpacked > given:
                        yield piece[-(unpacked - given) :]
                        given = unpacked


def gunzip(stored: Iterator[bytes], decompressor: Callable[..., Any]) -> Iterator[bytes]:
    """Yield the content of gzip's members one after the other, in pieces of at most 8 MB.

    Raises EOFError when the last is cut short, the decompressor's error when one is damaged. Zeros after a member are
    padding (tapes, tar).
    """
    member = decompressor(wbits=31)
    for pending in stored:
        while pending:
            if member.eof:
                pending = pending.lstrip(b"\0")
                if not pending:
                    break
                member = decompressor(wbits=31)
            if piece := member.decompress(pending, BLOCK_BYTES):
                yield piece
            pending = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        if piece := member.flush():
            yield piece
        raise EOFError


def without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces without a UTF-8 byte order mark at the very start, and without empty pieces."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= len(BYTE_ORDER_MARK):
            break
    if start := start.removeprefix(BYTE_ORDER_MARK):
        yield start
    yield from filter(None, pieces)


def whole_lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join pieces into blocks of whole lines, each with its line end but perhaps the last of the file."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut and size + cut >= BLOCK_BYTES:
            yield b"".join([*waiting, piece[:cut]])
            waiting, size = [piece[cut:]], len(piece) - cut
        else:
            waiting.append(piece)
            size += len(piece)
    if last := b"".join(waiting):
        yield last


def split_lines(block: bytes) -> pa.Array:
    """Return the lines of a block without their line ends, as binary."""
    if b"\r\n" in block:
        block = block.replace(b"\r\n", b"\n")
    lines = pc.split_pattern(pa.array([block], pa.binary()), b"\n").flatten()
    return lines.slice(0, len(lines) - 1) if block.endswith(b"\n") else lines


def text_lines(pieces: Iterator[bytes], path: str) -> Iterator[pa.Table]:
    """Cut JSON lines, or any text, into one record a line. A Parser."""
    line = 1
    for block in whole_lines(pieces):
        records = split_lines(block)
        yield pa.table(
            {
                **as_payload(records),
                "source_line": pa.array(range(line, line + len(records)), pa.int64()),
                "content_hash": content_hashes(records),
            }
        )
        line += len(records)


def as_payload(records: pa.Array) -> dict[str, pa.Array]:
    """Return records as the columns payload (text) and payload_bytes (only where they are not UTF-8)."""
    try:
        return {"payload": records.cast(pa.string()), "payload_bytes": pa.nulls(len(records), pa.binary())}
    except pa.ArrowInvalid:
        payload, exact = [], []
        for record in records.to_pylist():
            try:
                payload.append(record.decode())
                exact.append(None)
            except UnicodeDecodeError:
                payload.append(record.decode(errors="replace"))
                exact.append(record)
        return {"payload": pa.array(payload, pa.string()), "payload_bytes": pa.array(exact, pa.binary())}


def content_hashes(records: pa.Array) -> pa.Array:
    """Return the SHA-256 of each record's bytes in hexadecimal."""
    sha256 = hashlib.sha256
    return pa.array([sha256(record).hexdigest() for record in records.to_pylist()], pa.string())
