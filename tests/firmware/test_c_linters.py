# SPDX-License-Identifier: Apache-2.0
"""clang-format and clang-tidy reach every file of firmware/, and find what is wrong there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tinyproof.cli.c_linters import (
    BOARDS,
    LIB,
    NOT_LINTED,
    TARGETS,
    WITH_MODEL,
    board_units,
    digest,
    firmware_sources,
    format_differences,
    tidy,
    units,
)
from tinyproof.core.board_spec import all_boards, find_board
from tinyproof.export.profile_codegen import write_profile


def test_every_source_is_linted_or_has_a_reason_not_to_be() -> None:
    read = [file for unit in units() for file in unit.files] + [file for files in WITH_MODEL.values() for file in files]
    assert len(read) == len(set(read)), "a file is read twice"
    included = {LIB / "engine/engine.h"} | {
        path
        for file in read
        for name in re.findall(r'#include "(\w+\.h)"', file.read_text(encoding="utf-8"))
        for path in LIB.glob(f"*/{name}")
    }
    assert set(firmware_sources()) == {*read, *included} | NOT_LINTED.keys()


def test_every_toolchain_has_a_target_for_clang() -> None:
    toolchains = {board.build.toolchain for board in all_boards().values() if board.kind == "simulated"}
    assert toolchains == TARGETS.keys() == {find_board(name).build.toolchain for name in BOARDS}


def test_what_is_compiled_with_a_model_is_clean(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(exported, folder)
    write_profile(folder)
    chosen = [
        unit
        for name, files in WITH_MODEL.items()
        for unit in board_units(find_board(name), files, folder, folder / "profile")
    ]
    assert tidy(chosen) == ""


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("int f(int a);\nint f(int a) {\n    int b;\n    return a > 0 ? a : b;\n}\n", "clang-analyzer-core"),
        ("int f(int a);\nint f(int a) {\n    if (a > 0)\n        return 1;\n    return 0;\n}\n", "braces-around"),
        ("int f(int a) {\n    return a;\n}\n", "misc-use-internal-linkage"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, body: str, finding: str) -> None:
    source = tmp_path / "fault.c"
    source.write_text(body)
    assert format_differences([source]) == ""
    assert finding in tidy(board_units(find_board("qemu-cortex-m4"), [source]))


def test_what_was_clean_is_asked_again_when_a_header_changes(tmp_path: Path) -> None:
    source, header, clean = tmp_path / "one.c", tmp_path / "one.h", tmp_path / "clean"
    source.write_text('#include "one.h"\n\nint f(int a) {\n    return a + ONE;\n}\n')
    header.write_text("#ifndef ONE_H\n#define ONE_H\n\n#define ONE 1\nint f(int a);\n\n#endif\n")
    (unit,) = board_units(find_board("qemu-cortex-m4"), [source])
    assert tidy([unit], clean) == ""
    assert [path.name for path in clean.iterdir()] == [digest(unit)]
    header.write_text(header.read_text().replace("int f(int a);\n", ""))
    assert "misc-use-internal-linkage" in tidy([unit], clean)
    assert "misc-use-internal-linkage" in tidy([unit], clean), "what was found is not forgotten"
    header.write_text(header.read_text().replace("ONE 1\n", "ONE 1\nint f(int a);\n"))
    source.write_text(source.read_text().replace("a + ONE", "a +ONE"))
    assert digest(unit) not in {path.name for path in clean.iterdir()}


def test_another_layout_is_found(tmp_path: Path) -> None:
    source = tmp_path / "layout.c"
    source.write_text("int f( int a )\n{ return a; }\n")
    assert f"{source}:1:7: error: code should be clang-formatted" in format_differences([source])
