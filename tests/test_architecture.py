# SPDX-License-Identifier: Apache-2.0
"""The architecture as tests: stages meet through files, and start-up stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tinyproof.cli.main import VERBS
from tinyproof.core.paths import ROOT

STAGES = ("train", "export", "firmware", "host", "report")
HEAVY = ("tensorflow", "keras", "cattrs", "numpy", "matplotlib", "rich", "serial", "jinja2", "platformio")


def python_files(folder: str) -> list[Path]:
    files = [path for path in (ROOT / folder).rglob("*.py") if ".pio" not in path.parts]
    assert files, f"{folder} has no Python file: has it moved?"
    return files


def imported_modules(path: Path, *, only_top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if only_top_level else list(ast.walk(tree))
    modules: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules.update(f"{node.module}.{alias.name}" for alias in node.names)
    return modules


def room_of(module: str) -> str:
    """`host` of tinyproof.host.session; "" for what is not ours."""
    parts = module.split(".")
    return parts[1] if parts[0] == "tinyproof" and len(parts) > 1 else ""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_itself_and_the_contract_only(stage: str) -> None:
    forbidden = {*STAGES, "tests"} - {stage}
    for path in python_files(stage):
        for module in imported_modules(path):
            assert room_of(module) not in forbidden, f"{path.relative_to(ROOT)} imports {module}"
            assert room_of(module) != "cli", (
                f"{path.relative_to(ROOT)} imports {module}: the command line knows the stages, never the reverse"
            )


def test_only_the_command_line_knows_the_stages() -> None:
    for path in python_files("core"):
        for module in imported_modules(path):
            assert room_of(module) not in (*STAGES, "cli"), f"{path.relative_to(ROOT)} imports {module}"


def test_verbs_load_nothing_heavy_at_import_time() -> None:
    for path in python_files("cli/verbs"):
        heavy = {module.split(".")[0] for module in imported_modules(path, only_top_level=True)} & set(HEAVY)
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
    for folder in ("api", "cli", "core", *STAGES):
        for path in python_files(folder):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1 and name not in TWICE} == {}


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
