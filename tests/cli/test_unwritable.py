# SPDX-License-Identifier: Apache-2.0
"""Disks that are full or read-only, links that lead elsewhere, and inputs that never end: one line, and the right exit
code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.tflite_writer import dense_network

from tinyproof.core.config import Config
from tinyproof.core.converter import read_toml
from tinyproof.core.data_csv import read_table
from tinyproof.core.data_set import read_dataset
from tinyproof.core.errors import EnvironmentFaultError, InputFileError
from tinyproof.core.files import keep_inside, replaced_whole, write_at_once
from tinyproof.core.model_file import find_model_file
from tinyproof.core.tflite.reader import read_file
from tinyproof.train.training_data import read_csv

# A program that may write files of so many bytes only: what a quota or a full disk is to it.
LIMITED = (
    "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}));"
    "from tinyproof.cli.main import main; main(sys.argv[1:], prog_name='tinyproof')"
)


def export(folder: Path, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    program = LIMITED.format(1 << 30 if limit is None else limit)
    return subprocess.run(
        [sys.executable, "-P", "-c", program, "export", "--model", str(folder / "net.tflite")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )


def test_a_file_limit_ends_in_one_line_and_leaves_the_build(tmp_path: Path) -> None:
    (tmp_path / "tinyproof.toml").write_text("")
    (tmp_path / "net.tflite").write_bytes(dense_network(2, (3, 4, 2)))
    done = export(tmp_path)
    assert done.returncode == 0, done.stderr
    build = tmp_path / "build" / "net"
    before = {path.name: path.read_bytes() for path in build.iterdir()}
    stopped = export(tmp_path, 2000)
    assert stopped.returncode == 3, stopped.stderr
    assert stopped.stderr.count("\n") == 1
    assert "File too large" in stopped.stderr
    assert {path.name: path.read_bytes() for path in build.iterdir()} == before
    assert not list((tmp_path / "build").glob(".*partial*"))


def test_a_build_folder_that_is_a_file_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tinyproof.toml").write_text("")
    (tmp_path / "net.tflite").write_bytes(dense_network(2, (3, 4, 2)))
    (tmp_path / "build").write_text("not a folder")
    done = export(tmp_path)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Error: ")


def test_what_cannot_be_written_whole_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "check.json"
    target.write_text("the last one")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_at_once(target, "a new one")
    assert [path.name for path in tmp_path.iterdir()] == ["check.json"]
    assert target.read_text() == "the last one"


def test_a_link_is_replaced_and_what_it_led_to_stays(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    (tmp_path / "build" / "net").mkdir(parents=True)
    link = tmp_path / "build" / "net" / "check.json"
    link.symlink_to(precious)
    write_at_once(link, "mine")  # even where it would say the same
    assert not link.is_symlink()
    assert (link.read_text(), precious.read_text()) == ("mine", "mine")


def test_a_folder_that_leads_out_of_the_builds_is_refused(tmp_path: Path) -> None:
    build, outside = tmp_path / "build" / "net", tmp_path / "elsewhere"
    build.mkdir(parents=True)
    outside.mkdir()
    (build / "boards").symlink_to(outside)
    with pytest.raises(EnvironmentFaultError, match="nothing is written there"):
        keep_inside(build / "boards" / "qemu-cortex-m4", build)
    (tmp_path / "build" / "other").symlink_to(outside)
    with pytest.raises(EnvironmentFaultError), replaced_whole(tmp_path / "build" / "other", "manifest.json"):
        pass
    assert not list(outside.iterdir())
    assert keep_inside(build / "figures", build) == build / "figures"


READERS: dict[str, Callable[[Path], object]] = {
    ".tflite": read_file,
    ".csv": read_csv,
    ".npz": lambda path: read_dataset(path, []),
    ".npy": lambda path: read_dataset(path, []),
    ".keras": lambda path: find_model_file(str(path)),
    ".toml": lambda path: read_toml(path, Config, path.name),
}


@pytest.mark.skipif(sys.platform == "win32", reason="has no pipes and devices with names in folders")
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize("suffix", READERS)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"input{suffix}"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(InputFileError, match="not a regular file"):
        READERS[suffix](path)


def test_a_cell_that_goes_over_the_end_of_its_line_is_refused() -> None:
    with pytest.raises(InputFileError, match="a cell goes on after the end of its line"):
        read_table(b'a,b,y\n"1\n2",3,4\n', "table.csv", 2)
    with pytest.raises(InputFileError, match="a cell goes on after the end of its line"):
        read_table(b'a,b,y\r\n1,2,"up\r\nper"\r\n', "table.csv", 2)
    assert read_table(b'a,b,y\r\n"1","2",4\r\n', "table.csv", 2).x == [[1.0, 2.0]]
