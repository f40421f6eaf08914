# SPDX-License-Identifier: Apache-2.0
"""`tinyproof export --as`: what is refused, in one line and with its exit code; no half of a folder is left."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.consumers import exported

from tinyproof.cli.library_options import KINDS_HELP
from tinyproof.cli.main import main
from tinyproof.core import paths
from tinyproof.core.errors import EXIT_ENVIRONMENT, EXIT_USAGE, EnvironmentFaultError
from tinyproof.core.version import __version__
from tinyproof.export.libraries.kinds import KINDS
from tinyproof.export.libraries.naming import name_of


@pytest.fixture
def build(lesson_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """build/neuron, of a checkout that holds nothing else."""
    root = tmp_path / "checkout"
    (root / "build").mkdir(parents=True)
    (root / "build" / "neuron").symlink_to(lesson_models["neuron"])
    monkeypatch.setattr(paths, "BUILD", root / "build")
    monkeypatch.setattr(paths, "CONFIG_FILE", root / "tinyproof.toml")
    return root / "build" / "neuron"


def asked(*words: object) -> Result:
    return CliRunner().invoke(main, ["export", *map(str, words)])


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_a_whole_folder(tmp_path: Path, kind: str) -> None:
    result = asked("--as", kind, "--to", tmp_path / "out" / "lesson", "--name", "lesson")
    assert result.exit_code == 0, result.output
    files = {path.relative_to(tmp_path / "out" / "lesson").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    for needed in ("README.md", "manifest.json", "tinyproof.json", "src/lesson.h", "src/lesson_selftest.c"):
        assert needed in files
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["lesson"], "nothing else is left beside it"
    readme = (tmp_path / "out" / "lesson" / "README.md").read_text()
    assert "**Not run:**" in "\n".join(readme.splitlines()[:9])
    assert ("**Untested" in readme) == ("UNTESTED" in result.output) == (not KINDS[kind].parsed)
    assert (tmp_path / "out" / "lesson" / "LICENSE").read_text().lstrip().startswith("Apache License")


def test_help_labels_what_is_untested() -> None:
    assert ", ".join(kind.summary for kind in KINDS.values()) == KINDS_HELP
    assert "zephyr (untested)" in " ".join(CliRunner().invoke(main, ["export", "--help"]).output.split())


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--as", "makefile"), "no kind of library; take one of c, cmake"),
        (("--as", "c", "--name", "2nd"), "cannot begin a C function"),
        (("--as", "c", "--name", "a-b"), "cannot begin a C function"),
        (("--as", "c", "--name", "static"), "a word of C or C++"),
        (("--as", "c", "--name", ""), "cannot begin a C function"),
        (("--as", "c", "--arena-bytes", "0"), "needs an arena of 1 B, and --arena-bytes allows 0"),
        (("--as", "c", "--selftest-bytes", "1"), "one vector of this model takes 2 B"),
        (("--as", "c", "--selftest-bytes", "-1"), "must not be negative"),
        (("--as", "c", "--labels", "a,b"), "names 2 classes; the model's first output has 1"),
        (("--as", "c", "--labels", 'a"'), "is none; take letters"),
        (("--as", "c", "--model", "nobody"), "no manifest"),
        (("--as", "c", "--board", "qemu-avr"), "--as takes a build as it is: export with --board first"),
        (("--as", "c", "--values", "0,1"), "--values quantizes a file: name it with --model FILE"),
        ((), "say which kind with --as"),
    ],
)
def test_a_wish_that_cannot_be_met_is_one_line(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    result = asked(*words, "--to", tmp_path / "out" / "lesson")
    assert result.exit_code == EXIT_USAGE, result.output
    assert len(result.output.splitlines()) == 1
    assert says in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("build")
def test_without_a_folder_it_is_a_usage_error() -> None:
    result = asked("--as", "c")
    assert (result.exit_code, result.output) == (EXIT_USAGE, "Error: --as makes a folder: name it with --to FOLDER\n")


@pytest.mark.usefixtures("build")
def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "main.c").write_text("int main(void);\n")
    result = asked("--as", "c", "--to", theirs)
    assert result.exit_code == EXIT_USAGE
    assert "is no library of tinyproof's" in result.output
    assert [path.name for path in theirs.iterdir()] == ["main.c"]
    (tmp_path / "file").write_text("")
    assert "is no folder" in asked("--as", "c", "--to", tmp_path / "file").output


@pytest.mark.usefixtures("build")
def test_our_own_folder_is_replaced_unless_somebody_worked_in_it(tmp_path: Path) -> None:
    target = tmp_path / "lesson"
    assert asked("--as", "cmake", "--to", target).exit_code == 0
    (target / "build").mkdir()
    (target / "build" / "object.o").write_text("")
    assert asked("--as", "c", "--to", target).exit_code == 0
    assert (target / "Makefile").is_file()
    assert not (target / "CMakeLists.txt").exists()
    (target / "notes.txt").write_text("mine")
    assert "notes.txt is none of the export's files" in asked("--as", "c", "--to", target).output
    (target / "notes.txt").unlink()
    (target / "src" / "neuron.c").write_text("edited")
    result = asked("--as", "c", "--to", target)
    assert (result.exit_code, "src/neuron.c was changed" in result.output) == (EXIT_USAGE, True)
    assert (target / "src" / "neuron.c").read_text() == "edited"


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("c", "build/neuron.o"),
        ("platformio", "neuron-{version}.tar.gz"),
        ("esp-idf", "dist/neuron_{version}/LICENSE"),
        ("esp-idf", "examples/selftest/build/bootloader/bootloader.bin"),
        ("esp-idf", "examples/selftest/managed_components/other/other.c"),
        ("esp-idf", "examples/selftest/dependencies.lock"),
        ("esp-idf", "examples/selftest/sdkconfig"),
        ("esp-idf", "examples/selftest/sdkconfig.old"),
        ("zephyr", "samples/selftest/build/zephyr/zephyr.elf"),
    ],
)
def test_what_the_kinds_own_tools_leave_goes_with_the_folder(tmp_path: Path, kind: str, left: str) -> None:
    target = tmp_path / "neuron"
    assert asked("--as", kind, "--to", target).exit_code == 0
    built = target / left.format(version=__version__)
    built.parent.mkdir(parents=True, exist_ok=True)
    built.write_text("")
    result = asked("--as", kind, "--to", target)
    assert (result.exit_code, built.exists()) == (0, False), result.output


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("kind", "mine"),
    [
        ("c", "dist/notes.txt"),
        ("c", "neuron-0.0.tar.gz"),
        ("esp-idf", "examples/selftest/main/sdkconfig"),
        ("esp-idf", "examples/selftest/sdkconfig.defaults"),
        ("esp-idf", "src/build/mine.c"),
        ("platformio", "src/neuron-{version}.tar.gz"),
        ("zephyr", "samples/mine/build/mine.c"),
    ],
)
def test_what_no_tool_of_the_kind_leaves_is_somebodys(tmp_path: Path, kind: str, mine: str) -> None:
    target = tmp_path / "neuron"
    assert asked("--as", kind, "--to", target).exit_code == 0
    theirs = target / mine.format(version=__version__)
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text("mine")
    result = asked("--as", kind, "--to", target)
    assert result.exit_code == EXIT_USAGE
    assert "is none of the export's files" in result.output
    assert theirs.read_text() == "mine"


@pytest.mark.usefixtures("build")
def test_where_nobody_can_write_it_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = asked("--as", "c", "--to", tmp_path / "file" / "lesson")
    assert result.exit_code == EXIT_ENVIRONMENT
    assert len(result.output.splitlines()) == 1
    assert "cannot be written" in result.output


def test_a_disk_that_fills_up_leaves_the_old_folder_and_no_half_of_the_new_one(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "libraries" / "lesson"
    exported(build, target)
    before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    written = 0
    write = Path.write_text

    def full(path: Path, *arguments: object, **options: object) -> int:
        nonlocal written
        written += 1
        if written == 5:
            raise OSError(28, "No space left on device")
        return write(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(EnvironmentFaultError, match="No space left"):
        exported(build, target, "cmake")
    assert {path: path.read_bytes() for path in target.rglob("*") if path.is_file()} == before
    assert list(target.parent.iterdir()) == [target]


def test_ctrl_c_between_two_renames_leaves_a_whole_folder(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "libraries" / "lesson"
    exported(build, target)
    rename = Path.rename

    def interrupted(path: Path, to: Path) -> Path:
        moved = rename(path, to)
        signal.raise_signal(signal.SIGINT)
        return moved

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        exported(build, target, "cmake")
    assert (target / "CMakeLists.txt").is_file()
    assert not (target / "Makefile").exists()
    assert list(target.parent.iterdir()) == [target]


def test_json_says_what_was_written(build: Path, tmp_path: Path) -> None:
    document = json.loads(asked("--as", "zephyr", "--to", tmp_path / "z", "--json", "--selftest-bytes", "20").output)
    assert (document["kind"], document["name"], document["parsed"]) == ("zephyr", "neuron", False)
    assert (document["vectors"], document["vector_bytes"]) == (10, 20)
    record = json.loads((tmp_path / "z" / "tinyproof.json").read_text())
    assert record["model_id"] == document["model_id"]
    assert len(record["files"]) + 1 == document["files"]
    without = exported(build, tmp_path / "without", selftest_bytes=0)
    assert without.vectors == 0
    assert "selftest(" not in (tmp_path / "without" / "src" / "neuron.h").read_text()
    assert not (tmp_path / "without" / "src" / "neuron_selftest.c").exists()


@pytest.mark.parametrize(
    ("model", "name"),
    [("gestures", "gestures"), ("vww-96.v2", "vww_96_v2"), ("2nd", "model_2nd"), ("int", "int_model"), ("_", "model")],
)
def test_a_builds_name_becomes_one_that_c_can_take(model: str, name: str) -> None:
    assert name_of(model) == name
