# SPDX-License-Identifier: Apache-2.0
"""The launcher on machines that lack something: it says what to install, and exits with the environment's code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from tinyproof.core.paths import ROOT

COREUTILS = ("sh", "cat", "cksum", "dirname", "mktemp", "rm", "id", "tail", "printf", "env")


def machine(tmp_path: Path, *, programs: dict[str, str]) -> Path:
    """A PATH with the bare tools and the given fake programs, and a copy of the launcher that has not been set up."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in COREUTILS:
        found = shutil.which(name)
        assert found, f"{name} is missing on this machine"
        (folder / name).symlink_to(found)
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    for name in ("tinyproof", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return folder


def launch(tmp_path: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tmp_path / "tinyproof", "--help"],
        env={"PATH": str(path), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_apt_it_names_the_packages(tmp_path: Path) -> None:
    done = launch(tmp_path, machine(tmp_path, programs={}))
    assert done.returncode == 3
    assert "qemu-system-arm" in done.stderr
    assert "gcc-arm-none-eabi" in done.stderr
    assert not (tmp_path / ".venv" / ".ready").exists()


def test_without_root_or_sudo_it_prints_the_command(tmp_path: Path) -> None:
    path = machine(tmp_path, programs={"apt-get": "exit 1"})
    (path / "id").unlink()
    (path / "id").write_text("#!/bin/sh\necho 1000\n")
    (path / "id").chmod(0o755)
    done = launch(tmp_path, path)
    assert done.returncode == 3
    assert re.search(r"as root, run: apt-get update && apt-get install .*qemu-system-arm", done.stderr)


def test_a_failed_install_shows_why(tmp_path: Path) -> None:
    path = machine(tmp_path, programs={"apt-get": "echo E: no space left; exit 100"})
    (path / "id").unlink()
    (path / "id").write_text("#!/bin/sh\necho 0\n")
    (path / "id").chmod(0o755)
    done = launch(tmp_path, path)
    assert done.returncode == 3
    assert "no space left" in done.stderr
    assert "apt-get install" in done.stderr


def test_it_passes_arguments_and_the_exit_code_on(tmp_path: Path) -> None:
    path = machine(tmp_path, programs={})
    stamp = subprocess.run(
        "cat pyproject.toml constraints.txt tinyproof | cksum",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout
    binary = tmp_path / ".venv" / "bin" / "python"
    binary.parent.mkdir(parents=True)
    binary.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 4\n')
    binary.chmod(0o755)
    (tmp_path / ".venv" / ".ready").write_bytes(stamp)
    done = launch(tmp_path, path)
    assert (done.returncode, done.stdout) == (4, "-P|-m|tinyproof|--help|")


def test_the_launcher_is_a_clean_posix_script() -> None:
    done = subprocess.run(["sh", "-n", ROOT / "tinyproof"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
