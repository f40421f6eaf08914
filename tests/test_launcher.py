# SPDX-License-Identifier: Apache-2.0
"""The launcher on machines that lack something: it says what to install, and exits with the environment's code."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.two_layers import tiny_build

from tinyproof.cli.package_links import FOLDERS, link_package
from tinyproof.core.paths import ROOT

COREUTILS = ("sh", "cat", "chmod", "cksum", "dirname", "mkdir", "mktemp", "rm", "id", "sed", "tail", "printf", "env")


# Names that a user's folder may well hold, and that something of ours imports.
TRAPS = (
    *("pipeline", "tinyproof", "train", "model", "main", "platform"),
    *("numpy", "click", "serial", "platformio", "SCons", "elftools", "tflite_micro"),
    *("json", "typing", "importlib", "site", "sitecustomize"),
)


def machine(tmp_path: Path, *, programs: dict[str, str]) -> Path:
    """A PATH with the bare tools and the given fake programs, and a copy of the launcher that has not been set up."""
    folder = tmp_path / "bin"
    folder.mkdir(parents=True)
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


def launch(tmp_path: Path, path: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tmp_path / "tinyproof", "--help"],
        env={"PATH": str(path), "HOME": str(tmp_path), **variables},
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


def set_up_by_hand(clone: Path, python: str) -> None:
    """A .venv as the launcher leaves it, with a shell script for a Python."""
    files = "cat pyproject.toml constraints.txt tinyproof | cksum"
    stamp = subprocess.run(files, shell=True, cwd=clone, capture_output=True, text=True, check=True).stdout
    binary = clone / ".venv" / "bin" / "python"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\n{python}\n")
    binary.chmod(0o755)
    (clone / ".venv" / ".ready").write_text(f"{stamp}{clone.resolve()}\n")


def test_it_passes_arguments_and_the_exit_code_on(tmp_path: Path) -> None:
    path = machine(tmp_path, programs={})
    set_up_by_hand(tmp_path, 'printf "%s|" "$@"\nexit 4')
    done = launch(tmp_path, path)
    assert (done.returncode, done.stdout) == (4, "-P|-m|tinyproof|--help|")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "-|-"),
        ({"PYTHONDONTWRITEBYTECODE": "1"}, "-|{}/.venv/pycache"),
        ({"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/elsewhere"}, "-|/elsewhere"),
    ],
)
def test_bytecode_is_kept_whatever_the_users_environment_says(tmp_path: Path, given: dict[str, str], says: str) -> None:
    path = machine(tmp_path, programs={})
    set_up_by_hand(tmp_path, 'echo "${PYTHONDONTWRITEBYTECODE:--}|${PYTHONPYCACHEPREFIX:--}"')
    assert launch(tmp_path, path, **given).stdout.strip() == says.format(tmp_path.resolve())


def test_a_copied_clone_is_set_up_again(tmp_path: Path) -> None:
    """Its .venv would run the clone that it was made for."""
    old, new = tmp_path / "old", tmp_path / "new"
    tools = (ROOT / "tinyproof").read_text().split("system_tools='")[1].split("'")[0].splitlines()
    programs = {line.split()[0]: "exit 0" for line in tools}
    made = """mkdir -p "$4/bin"; printf '#!/bin/sh\\necho new\\n' >"$4/bin/python"; chmod +x "$4/bin/python\""""
    programs["python3"] = f'case "$*" in "-P -m venv "*) {made} ;; esac'
    path = machine(old, programs=programs)
    set_up_by_hand(old, "echo old")
    (old / ".venv" / "bin" / "pip").write_text("of the old clone")
    shutil.copytree(old, new, symlinks=True)
    assert launch(old, path).stdout == "old\n"
    done = launch(new, path)
    assert (done.returncode, done.stdout) == (0, "new\n"), done.stderr
    assert f"this clone was set up in {old.resolve()}" in done.stderr
    assert not (new / ".venv" / "bin" / "pip").exists()
    done = launch(new, path)
    assert (done.stdout, done.stderr) == ("new\n", "")


def set_up_with(tmp_path: Path, *, settings: str, uv: str) -> tuple[list[str], str]:
    """What a first start asks of pip, and what uv was told, on a machine with these settings of pip and this uv."""
    tools = (ROOT / "tinyproof").read_text().split("system_tools='")[1].split("'")[0].splitlines()
    programs = {line.split()[0]: "exit 0" for line in tools}
    (tmp_path / "python").write_text(
        f"""#!/bin/sh
case "$*" in
*"pip config list") printf '%s\\n' {shlex.quote(settings)} ;;
*"pip install"*) printf '%s\\n' "$*" >>"{tmp_path}/pip" ;;
esac
"""
    )
    (tmp_path / "uv").write_text(f"#!/bin/sh\nenv >'{tmp_path}/told'\n{uv}\n")
    copy = f'mkdir -p "$4/bin"; cat "{tmp_path}/python" >"$4/bin/python"; cat "{tmp_path}/uv" >"$4/bin/uv"'
    programs["python3"] = f'case "$*" in "-P -m venv "*) {copy}; chmod +x "$4"/bin/* ;; esac'
    path = machine(tmp_path, programs=programs)
    (path / "tr").symlink_to(str(shutil.which("tr")))
    done = launch(tmp_path, path)
    assert done.returncode == 0, done.stderr
    told = tmp_path / "told"
    return (tmp_path / "pip").read_text().splitlines(), told.read_text() if told.exists() else ""


def test_uv_takes_the_packages_from_where_pip_would(tmp_path: Path) -> None:
    settings = (
        ":env:.index-url='https://mine/simple'\nglobal.cert='/my ca.pem'\n"
        "global.find-links='/a /b'\nglobal.index-url='https://other/simple'\nuser.extra-index-url='no section of pip'"
    )
    asked, told = set_up_with(tmp_path, settings=settings, uv="exit 0")
    assert len(asked) == 1
    assert asked[0].endswith(" uv")
    for line in ("UV_DEFAULT_INDEX=https://mine/simple", "SSL_CERT_FILE=/my ca.pem", "UV_FIND_LINKS=/a,/b"):
        assert f"{line}\n" in told
    assert "UV_INDEX=" not in told


@pytest.mark.parametrize(("settings", "uv"), [("", "exit 1"), ("global.proxy='http://proxy:3128'", "exit 0")])
def test_where_uv_cannot_do_it_pip_does(tmp_path: Path, settings: str, uv: str) -> None:
    asked, told = set_up_with(tmp_path, settings=settings, uv=uv)
    assert asked[-1].endswith(f"-e {tmp_path.resolve()}[test,train]")
    assert bool(told) == (not settings)


def test_it_works_from_any_folder_whatever_lies_there(tmp_path: Path) -> None:
    """A clone of its own, so that the build folder of this one stays as it is; and a folder full of traps."""
    clone, folder = tmp_path / "clone", tmp_path / "folder"
    machine(clone, programs={})
    for name in (*FOLDERS, "api"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    link_package(clone, clone / "links" / "tinyproof")
    set_up_by_hand(clone, f'PYTHONPATH={clone / "links"}${{PYTHONPATH:+:$PYTHONPATH}} exec "{sys.executable}" "$@"')
    (clone / "build").mkdir()
    model = tiny_build(clone / "build")
    folder.mkdir()
    for name in TRAPS:
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name} of the user was imported')\n")
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit('a folder of the user was imported')\n")
    for arguments, says in (
        (["boards"], "qemu-cortex-m4"),
        (["inspect", str(model / "model.tflite")], "FULLY_CONNECTED"),
        (["export", "--model", str(model / "model.tflite")], "model.tflite"),
        (["build", "--model", "tiny"], "engine"),
        (["check", "--model", "tiny", "--board", "reference"], "256 of 256"),
        (["check", "--model", "tiny"], "256 of 256"),
    ):
        done = subprocess.run(
            [clone / "tinyproof", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode, says in done.stdout) == (0, True), (arguments, done.stdout, done.stderr)


def test_the_launcher_is_a_clean_posix_script() -> None:
    done = subprocess.run(["sh", "-n", ROOT / "tinyproof"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
