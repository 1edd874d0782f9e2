"""Text files: every line lands, exactly, once."""

import gzip
import hashlib
import os
from collections.abc import Iterator

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from load.readers import files
from load.readers.files import text_lines, without_mark

LINES = [f'{{"messageId": "m{number}"}}' for number in range(1, 6)]
TEXT = "".join(f"{line}\n" for line in LINES)


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def records_of(content: bytes, piece: int = 7) -> list[bytes]:
    """The records' exact bytes, as payload_bytes or payload give them back."""
    records, lines = [], []
    for table in text_lines(without_mark(in_pieces(content, piece)), "file"):
        for row in table.to_pylist():
            exact = row["payload"].encode() if row["payload_bytes"] is None else row["payload_bytes"]
            assert row["content_hash"] == hashlib.sha256(exact).hexdigest()
            records.append(exact)
            lines.append(row["source_line"])
    assert lines == list(range(1, len(lines) + 1))
    return records


@settings(max_examples=300, deadline=None)
@given(
    content=st.binary(max_size=200) | st.text(alphabet="a\r\n\0é\ufeff", max_size=60).map(str.encode),
    piece=st.integers(1, 50),
)
def test_any_bytes_are_accounted_for_and_given_back(content: bytes, piece: int) -> None:
    body = content.removeprefix(b"\xef\xbb\xbf")
    lines = body.split(b"\n")
    ended = [line.removesuffix(b"\r") for line in lines[:-1]]
    assert records_of(content, piece) == ended + ([lines[-1]] if lines[-1] else [])


@pytest.mark.parametrize("block", [1, 10, 100])
def test_blocks_of_any_size_cut_at_lines(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", block)
    assert records_of(TEXT.encode(), piece=3) == [line.encode() for line in LINES]


@pytest.mark.parametrize(
    ("content", "payloads"),
    [
        (TEXT.encode(), LINES),
        (gzip.compress(TEXT.encode()), LINES),
        (b"\xef\xbb\xbf" + TEXT.encode(), LINES),
        (TEXT.replace("\n", "\r\n").encode(), LINES),
        (TEXT.rstrip("\n").encode(), LINES),
        (b"a\n\n\nb\n", ["a", "", "", "b"]),
        (b"a\0b\n", ["a\0b"]),
        (b'{"broken": \n', ['{"broken": ']),
        (gzip.compress(b"a\n") + gzip.compress(b"b\n"), ["a", "b"]),
        (gzip.compress(b"a\n") + b"\0\0\0", ["a"]),
        (b"", []),
        (gzip.compress(b""), []),
        (b"\xef\xbb\xbf", []),
    ],
    ids=[
        "plain",
        "gzip",
        "mark",
        "crlf",
        "no_end",
        "blank",
        "nul",
        "half",
        "members",
        "padded",
        "empty",
        "gz_0",
        "mark_0",
    ],
)
def test_lands_verbatim_and_nothing_twice(company, landed, content: bytes, payloads: list[str]) -> None:
    company.write("web/events.jsonl.gz", content)
    company.connect("web", url=company.folder / "web")
    assert company.load("web") == 0
    expected = [("events.jsonl.gz", number, payload) for number, payload in enumerate(payloads, start=1)]
    assert landed("raw_web.events") == expected
    assert company.query("select records_read, records_landed, error from raw_web.manifest") == [
        (len(payloads), len(payloads), None)
    ]
    assert company.load("web") == 0
    assert landed("raw_web.events") == expected
    assert company.query("select count(*) from raw_web.manifest") == [(1,)]


def test_bytes_that_are_no_utf8_are_kept(company) -> None:
    company.write("web/a.jsonl", b"caf\xe9\ncaf\xc3\xa9\n")
    company.connect("web", url=company.folder / "web")
    company.load("web")
    assert company.query("select payload, payload_bytes from raw_web.events order by source_line") == [
        ("caf\ufffd", b"caf\xe9"),
        ("café", None),
    ]


def test_gzip_cut_short_lands_what_can_be_read_and_the_rest_when_it_is_whole(company, landed) -> None:
    lines = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]
    whole = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    file = company.write("web/a.jsonl.gz", whole[: len(whole) // 2])
    company.connect("web", url=company.folder / "web")
    assert company.load("web") == 0
    first = [payload for _, _, payload in landed("raw_web.events")]
    assert 500 < len(first) < 2000
    assert first[:-1] == lines[: len(first) - 1]
    assert "gzip is cut short after line" in company.output
    file.write_bytes(whole)
    assert company.load("web") == 0
    assert [payload for _, _, payload in landed("raw_web.events") if payload in set(lines)] == lines


def test_damaged_gzip_lands_everything_before_the_damage(company, landed) -> None:
    lines = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(5000)]
    stored = bytearray(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    stored[len(stored) // 2] ^= 0xFF
    stored[len(stored) // 2 + 1 : len(stored) // 2 + 100] = b"\xff" * 99
    company.write("web/a.jsonl.gz", bytes(stored))
    company.write("web/b.jsonl", TEXT)
    company.connect("web", url=company.folder / "web")
    assert company.load("web") == 0
    landed_lines = [payload for file, _, payload in landed("raw_web.events") if file == "a.jsonl.gz"]
    assert landed_lines[:2000] == lines[:2000]
    assert [payload for file, _, payload in landed("raw_web.events") if file == "b.jsonl"] == LINES
    assert (
        "gzip is damaged" in company.query("select error from raw_web.manifest where source_file = 'a.jsonl.gz'")[0][0]
    )


def test_file_that_grows_lands_only_its_new_lines(company, landed) -> None:
    file = company.write("web/a.jsonl", TEXT)
    company.connect("web", url=company.folder / "web")
    company.load("web")
    file.write_text(TEXT + "new\n")
    company.load("web")
    assert [payload for _, _, payload in landed("raw_web.events")] == [*LINES, "new"]
    read, new, unchanged = company.query(
        "select records_read, records_landed, records_unchanged from raw_web.manifest order by landed_at desc limit 1"
    )[0]
    assert (read, new, unchanged) == (6, 1, 5)


def test_file_that_changes_under_its_name_and_size_is_seen(company, landed) -> None:
    file = company.write("web/a.jsonl", "one\ntwo\n")
    before = file.stat()
    company.connect("web", url=company.folder / "web")
    company.load("web")
    file.write_text("one\nTWO\n")
    os.utime(file, (before.st_atime, before.st_mtime))
    company.load("web")
    assert [(line, payload) for _, line, payload in landed("raw_web.events")] == [(1, "one"), (2, "TWO"), (2, "two")]


def test_line_that_goes_back_to_what_it_was_lands_again(company, landed) -> None:
    company.connect("web", url=company.folder / "web")
    for second in ("two", "TWO", "two"):
        company.write("web/a.jsonl", f"one\n{second}\nthree\n")
        company.load("web")
    payloads = [(line, payload) for _, line, payload in landed("raw_web.events")]
    assert payloads == [(1, "one"), (2, "TWO"), (2, "two"), (2, "two"), (3, "three")]


def test_touched_file_lands_nothing_and_late_file_with_an_old_date_lands(company, landed) -> None:
    file = company.write("web/b.jsonl", TEXT)
    company.connect("web", url=company.folder / "web")
    company.load("web")
    os.utime(file, (2_000_000_000, 2_000_000_000))
    late = company.write("web/2020/a.jsonl", "late\n")
    os.utime(late, (0, 0))
    company.load("web")
    assert len(landed("raw_web.events")) == 6
    assert company.query("select source_file from raw_web.manifest order by landed_at") == [
        ("b.jsonl",),
        ("2020/a.jsonl",),
    ]


def test_same_lines_packed_anew_land_once_and_are_not_read_a_third_time(company) -> None:
    file = company.write("web/a.jsonl.gz", gzip.compress(TEXT.encode(), 1))
    company.connect("web", url=company.folder / "web")
    company.load("web")
    file.write_bytes(TEXT.encode())
    company.load("web")
    company.load("web")
    assert company.query("select records_read, records_landed from raw_web.manifest order by landed_at") == [
        (5, 5),
        (5, 0),
    ]
    assert company.query("select count(*) from raw_web.events") == [(5,)]


def test_same_content_under_two_names_and_same_line_twice_land_each(company, landed) -> None:
    company.write("web/a.jsonl", "x\nx\n")
    company.write("web/b.jsonl", "x\nx\n")
    company.connect("web", url=company.folder / "web")
    company.load("web")
    assert len(landed("raw_web.events")) == 4


def test_hidden_and_unfinished_files_are_left_alone(company, landed) -> None:
    for path in (".DS_Store", "_SUCCESS", "a.jsonl.tmp", ".tmp/b.jsonl"):
        company.write(f"web/{path}", "x\n")
    company.write("web/a.jsonl", "x\n")
    company.connect("web", url=company.folder / "web")
    company.load("web")
    assert landed("raw_web.events") == [("a.jsonl", 1, "x")]


def test_line_of_50_mb_lands_whole(company) -> None:
    long = b'{"x": "' + b"y" * 50_000_000 + b'"}'
    company.write("web/a.jsonl.gz", gzip.compress(b"first\n" + long + b"\nlast", 0))
    company.connect("web", url=company.folder / "web")
    assert company.load("web") == 0
    assert company.query("select source_line, length(payload), content_hash from raw_web.events order by 1")[1] == (
        2,
        len(long),
        hashlib.sha256(long).hexdigest(),
    )


def test_bucket_is_read_like_a_folder_and_its_etag_saves_reading(company, landed, monkeypatch) -> None:
    bucket = fsspec.filesystem("memory")
    bucket.pipe("/shop-events/web/2026-03-01/a.jsonl.gz", gzip.compress(TEXT.encode()))
    company.connect("web", url="memory://shop-events/web")
    assert company.load("web") == 0
    assert landed("raw_web.events")[0] == ("2026-03-01/a.jsonl.gz", 1, LINES[0])
    assert company.load("web") == 0
    assert len(landed("raw_web.events")) == 5


def test_missing_folder_says_which_variable_to_check(company) -> None:
    company.connect("web", url=company.folder / "nowhere")
    assert company.load("web") == 1
    assert "there is no" in company.output
    assert "SOURCES__WEB__URL" in company.output


def test_file_that_cannot_be_read_is_reported_and_the_others_land(company, landed, monkeypatch) -> None:
    company.write("web/a.jsonl", "a\n")
    company.write("web/b.jsonl", "b\n")
    company.connect("web", url=company.folder / "web")
    opened = files.StoredBytes._unpacked

    def refuse(self):
        if self.file.path == "a.jsonl":
            raise PermissionError(13, "Permission denied")
        return opened(self)

    with monkeypatch.context() as patch:
        patch.setattr(files.StoredBytes, "_unpacked", refuse)
        assert company.load("web") == 1
    assert "cannot read a.jsonl" in company.output
    assert landed("raw_web.events") == [("b.jsonl", 1, "b")]
    assert company.load("web") == 0
    assert landed("raw_web.events") == [("a.jsonl", 1, "a"), ("b.jsonl", 1, "b")]
