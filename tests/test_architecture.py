# SPDX-License-Identifier: Apache-2.0
"""The architecture as tests: start-up stays cheap, files small. Who may import whom is for import-linter to say."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tinyproof.cli.main import VERBS
from tinyproof.cli.package_links import FOLDERS
from tinyproof.core.paths import ROOT

HEAVY = ("tensorflow", "keras", "cattrs", "numpy", "matplotlib", "rich", "serial", "jinja2", "platformio")


def python_files(folder: str) -> list[Path]:
    files = [path for path in (ROOT / folder).rglob("*.py") if ".pio" not in path.parts]
    assert files, f"{folder} has no Python file: has it moved?"
    return files


def modules_imported_at_the_top(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
    return modules


def test_verbs_load_nothing_heavy_at_import_time() -> None:
    for path in python_files("cli/verbs"):
        heavy = {module.split(".")[0] for module in modules_imported_at_the_top(path)} & set(HEAVY)
        assert not heavy, f"{path.relative_to(ROOT)} imports {heavy} at the top"


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_suffices_and_loads_nothing_heavy(verb: str) -> None:
    program = (
        "import sys, tinyproof.cli.main\n"
        f"tinyproof.cli.main.main([{verb!r}, '--help'], standalone_mode=False)\n"
        f"print('loaded:', sorted(set(sys.modules) & {set(HEAVY)!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("loaded: []"), done.stdout
    assert "Usage:" in done.stdout
    assert len(done.stdout.splitlines()) >= 6, f"the help of {verb} says too little:\n{done.stdout}"


def test_usage_names_the_program_and_not_python() -> None:
    command = [sys.executable, "-P", "-m", "tinyproof", "check", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: tinyproof check [OPTIONS]")


def test_every_module_among_the_verbs_is_a_verb() -> None:
    assert {path.stem for path in python_files("cli/verbs")} - {"__init__"} == VERBS.keys()


# Names that still stand for two things, in rooms that never import each other's; the list may only get shorter.
TWICE = {
    "Axis",  # of a chart, and of a pooling window
}


def test_a_class_name_stands_for_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for folder in ("api", *FOLDERS):
        for path in python_files(folder):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in TWICE} == {}


def test_text_is_written_with_lf_on_every_system() -> None:
    """The same input gives the same bytes; Windows would write CRLF unless told otherwise."""
    missing = []
    for folder in ("api", *FOLDERS):
        for path in python_files(folder):
            calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
            missing += [
                f"{path.relative_to(ROOT)}:{call.lineno}"
                for call in calls
                if getattr(call.func, "attr", "") == "write_text"
                and "newline" not in [keyword.arg for keyword in call.keywords]
            ]
    assert missing == []


def test_no_module_needs_a_posix_one_to_be_imported() -> None:
    """But for what only an emulator's side needs: those are imported where they are used."""
    posix = {"termios", "tty", "pty", "fcntl", "grp", "pwd", "resource"}
    for folder in ("api", *FOLDERS):
        for path in python_files(folder):
            assert not modules_imported_at_the_top(path) & posix, path.relative_to(ROOT)


def test_files_stay_small_enough_to_know_ones_way() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    code = [name for name in listed if name.endswith((".py", ".c", ".h", ".cpp")) and (ROOT / name).exists()]
    assert code
    long = {name: n for name in code if (n := len((ROOT / name).read_text(encoding="utf-8").splitlines())) > 420}
    assert not long


def test_every_source_file_names_its_licence() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if name.endswith((".py", ".c", ".h", ".cpp", ".ini", ".ld")) and (ROOT / name).exists():
            head = (ROOT / name).read_text(encoding="utf-8")[:300]
            assert "SPDX-License-Identifier: Apache-2.0" in head, name
