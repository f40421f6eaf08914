# SPDX-License-Identifier: Apache-2.0
"""Data to learn from: what is read, and how untrusted files are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyproof.core.errors import InputFileError
from tinyproof.core.origin import Neuron
from tinyproof.train import training_data
from tinyproof.train.training_data import lesson, parse_csv, read_csv

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
SPACE = st.sampled_from(["", " ", "\t"])


def test_the_lesson_follows_its_rule() -> None:
    points = lesson()
    assert points.x == (-1, 0, 1, 2, 3, 4)
    assert points.rule == Neuron(2.0, -1.0)
    assert points.y == tuple(2 * x - 1 for x in points.x)


def test_the_lesson_as_a_csv_has_the_same_hash(tmp_path: Path) -> None:
    path = tmp_path / "lesson.csv"
    path.write_text("x,y\n-1,-3\n0,-1\n1,1\n2,3\n3,5\n4,7\n")
    read = read_csv(path)
    assert (read.x, read.y, read.sha256) == (lesson().x, lesson().y, lesson().sha256)
    assert (read.source, read.rule) == ("lesson.csv", None)
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1,2\n3,4\n",
        b"x,y\n1,2\n3,4",
        b"\xef\xbb\xbfx,y\r\n1,2\r\n3,4\r\n",
        b" x , y \n 1 , 2 \n\n+3.,.4e1\n\n",
        b"y,note,x\n2,hello,1\n4,,3\n",
        b'"x","y"\n"1","2"\n"3","4"\n',
        b"x,y\r1,2\r3,4\r",
    ],
)
def test_what_spreadsheets_write_is_read(content: bytes) -> None:
    read = parse_csv(content, "points.csv")
    assert (read.x, read.y) == ((1.0, 3.0), (2.0, 4.0))


@given(
    st.lists(st.tuples(FLOAT32, FLOAT32), min_size=2, max_size=20),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    SPACE,
)
def test_every_finite_float32_survives(points: list[tuple[float, float]], end: str, mark: bool, space: str) -> None:
    lines = ["x,y", *(f"{space}{x!r},{y!r}{space}" for x, y in points)]
    content = "".join(line + end for line in lines).encode("utf-8-sig" if mark else "utf-8")
    read = parse_csv(content, "points.csv")
    assert list(zip(read.x, read.y, strict=True)) == points


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "points.csv: the file is empty"),
        (b"\xef\xbb\xbf\r\n\n", "points.csv: the file is empty"),
        (b"x,y\n", "points.csv:1: 0 rows of numbers; a line needs at least 2"),
        (b"x,y\n1,2\n", "points.csv:2: 1 rows of numbers; a line needs at least 2"),
        (b"1,2\n3,4\n", "points.csv:1: missing column x in the header '1,2'"),
        (b"x,z\n1,2\n3,4\n", "points.csv:1: missing column y in the header 'x,z'"),
        (b"x;y\n1;2\n", "points.csv:1: missing column x in the header 'x;y'"),
        (b"x,y,x\n1,2,3\n", "points.csv:1: more than one column x"),
        (b"x,y\n1,2\n3,four\n", "points.csv:3: column y: 'four' is not a number"),
        (b"x,y\n\n1,2\n,4\n", "points.csv:4: column x: '' is not a number"),
        (b"x,y\n1_0,2\n3,4\n", "points.csv:2: column x: '1_0' is not a number"),
        (b"x,y\n0x10,2\n3,4\n", "points.csv:2: column x: '0x10' is not a number"),
        ("x,y\n\u0661,2\n3,4\n".encode(), r"points.csv:2: column x: '\u0661' is not a number"),
        (b"x,y\n1,2\nNaN,4\n", "points.csv:3: column x: 'NaN' is not finite"),
        (b"x,y\n1,-inf\n3,4\n", "points.csv:2: column y: '-inf' is not finite"),
        (b"x,y\n1,1e39\n3,4\n", "points.csv:2: column y: '1e39' is beyond the range of float32"),
        (b"x,y\n1,1e999\n3,4\n", "points.csv:2: column y: '1e999' is beyond the range of float32"),
        (b"x,y\n1,2,3\n3,4\n", "points.csv:2: 3 cells where the header has 2"),
        (b"x,y\n1\n3,4\n", "points.csv:2: 1 cells where the header has 2"),
        (b"x,y\n1,2\n3,\xff\n", "points.csv:3: byte 0xff is not UTF-8"),
        ("x,y\n1,2\n".encode("utf-16"), "points.csv:1: byte 0xff is not UTF-8"),
        (b'x,y\n1,"2\n', "points.csv:2: unexpected end of data"),
        (b"x,y\n1,2\n3,\x00\x1b[31m\n", r"points.csv:3: column y: '\x00\x1b[31m' is not a number"),
        (b"x,y\n1,2\n3," + b"z" * 5000 + b"\n", "points.csv:3: column y: 'zzz"),
        (b"x,y\n1,2\n3," + b"9" * 200_000 + b"\n", "points.csv:3: field larger than field limit"),
    ],
)
def test_a_bad_file_is_named_with_line_and_text(content: bytes, says: str) -> None:
    with pytest.raises(InputFileError) as raised:
        parse_csv(content, "points.csv")
    message = raised.value.message
    assert message.startswith(says)
    assert raised.value.exit_code == 4
    assert len(message) < 200
    assert message.isprintable(), "control characters of a file must not reach the terminal"


@given(st.one_of(st.binary(max_size=200), st.text(alphabet='xy,"\n\r 1.e-\x00é', max_size=60).map(str.encode)))
def test_no_bytes_do_worse_than_an_error(content: bytes) -> None:
    for attempt in (content, b"x,y\n" + content):
        read, refusal = None, ""
        try:
            read = parse_csv(attempt, "points.csv")
        except InputFileError as error:
            refusal = error.message
        assert read is not None or refusal.startswith("points.csv")
        assert read is None or len(read.x) == len(read.y) >= 2


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"gone\.csv: No such file"):
        read_csv(tmp_path / "gone.csv")
    with pytest.raises(InputFileError, match="directory"):
        read_csv(tmp_path)


def test_a_huge_file_is_refused_before_it_fills_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_data, "MAX_BYTES", 1 << 20)
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate((1 << 20) + 1)
    with pytest.raises(InputFileError, match=r"huge\.csv: larger than 1 MiB"):
        read_csv(path)
    with pytest.raises(InputFileError, match="not a regular file"):
        read_csv(Path("/dev/zero"))
