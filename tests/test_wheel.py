# SPDX-License-Identifier: Apache-2.0
"""The wheel: everything under one name, and whose settings and builds an installed tinyproof works with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support import effort
from support.tflite_writer import dense_network

from tinyproof.cli.package_links import FOLDERS
from tinyproof.core.install import command_of
from tinyproof.core.paths import ROOT, Project, find_project
from tinyproof.export.libraries.kinds import KINDS


def tracked(folder: str) -> list[str]:
    """Files of a folder that belong to the project and are there, as paths inside it."""
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of nothing but what the repository holds."""
    clone = tmp_path_factory.mktemp("wheel") / "clone"
    for name in (*packaged(), "pyproject.toml", "README.md", "LICENSE"):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, clone / name)
    make = [sys.executable, "-P", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "."]
    done = subprocess.run(make, cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = clone.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine with the wheel, and without TensorFlow."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    missing = "".join(f"sys.modules[{name!r}] = None\n" for name in ("tensorflow", "keras", "h5py"))
    (site / "sitecustomize.py").write_text(f"import sys\n{missing}")
    return {**os.environ, "PYTHONPATH": str(site)}


def tinyproof(environment: dict[str, str], folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "tinyproof", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def packaged() -> list[str]:
    return [name for folder in ("api", *FOLDERS) for name in tracked(folder)]


def test_the_wheel_holds_every_file_under_one_name(wheel: Path) -> None:
    names = packaged()
    assert "firmware/boards/qemu-cortex-m4.toml" in names
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == {f"tinyproof/{name.removeprefix('api/')}" for name in names}


def test_an_install_proves_a_foreign_model_in_the_users_folder(installed: dict[str, str], tmp_path: Path) -> None:
    """Among names of theirs, with their settings, from a folder below them, and without TensorFlow."""
    here = tmp_path / "firmware"
    here.mkdir()
    for name in ("train", "pipeline", "host", "export"):
        (here / f"{name}.py").write_text("raise SystemExit('the user's own module was imported')\n")
    (tmp_path / "tinyproof.toml").write_text('board = "qemu-cortex-m3"\n')
    (here / "net.tflite").write_bytes(dense_network(5, (6, 9, 3)))
    assert "* qemu-cortex-m3" in tinyproof(installed, here, "boards").stdout
    assert "net.tflite" in tinyproof(installed, here, "inspect", "net.tflite").stdout
    if effort.nightly:  # by day `run` alone, which does them all
        for verb, *options in (
            ("export", "--model", "net.tflite"),
            ("build", "--model", "net"),
            ("check", "--model", "net"),
        ):
            done = tinyproof(installed, here, verb, *options)
            assert done.returncode == 0, done.stderr
        assert "256 of 256 chosen inputs bit-identical" in done.stdout
    done = tinyproof(installed, here, "run", "--model", "net.tflite")
    assert done.returncode == 0, done.stderr
    assert "256 of 256 chosen inputs bit-identical" in done.stdout
    assert "report   build/net/report.html" in done.stdout
    assert (here / "build/net/report.html").is_file()


@pytest.mark.nightly
def test_an_install_makes_a_library_of_each_kind(installed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(dense_network(5, (6, 9, 3)))
    for kind in KINDS:
        done = tinyproof(installed, tmp_path, "export", "--model", "net.tflite", "--as", kind, "--to", f"out/{kind}")
        assert done.returncode == 0, done.stderr
        assert "Apache License" in (tmp_path / "out" / kind / "LICENSE").read_text()
    done = subprocess.run(["make", "test"], cwd=tmp_path / "out" / "c", capture_output=True, text=True, check=False)
    assert "256 of 256 vectors bit-identical" in done.stdout, done.stderr


def test_without_tensorflow_one_line_says_what_brings_it(installed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "net.keras").touch()
    for arguments in (["run"], ["run", "--model", "net.keras"], ["train"], ["example", "wake-word"], ["canary"]):
        done = tinyproof(installed, tmp_path, *arguments)
        assert done.returncode == 3, done.stderr
        assert 'pip install "tinyproof[train]"' in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.nightly
def test_clone_and_install_build_the_same_firmware(installed: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(dense_network(5, (6, 9, 3)))
    images = []
    for name, environment in (("installed", installed), ("clone", dict(os.environ))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tinyproof.toml").touch()  # a project of the user's: builds are there, not in the clone
        done = tinyproof(environment, tmp_path / name, "build", "--model", str(tmp_path / "net.tflite"))
        assert done.returncode == 0, done.stderr
        images.append((tmp_path / name / "build/net/boards/qemu-cortex-m4/firmware.elf").read_bytes())
    assert images[0] == images[1]


def test_settings_are_found_upwards_and_a_clone_falls_back_on_its_own(tmp_path: Path) -> None:
    clone, package, folder = tmp_path / "clone", tmp_path / "site-packages" / "tinyproof", tmp_path / "work" / "deep"
    for made in (clone / "firmware", package, folder):
        made.mkdir(parents=True)
    (clone / "pyproject.toml").touch()
    (clone / "tinyproof").touch()
    (package / "pyproject.toml").touch()  # of something else that lies there
    assert find_project(clone, folder) == Project(clone / "tinyproof.toml", clone / "build")
    assert find_project(clone, clone / "firmware") == Project(clone / "tinyproof.toml", clone / "build")
    assert find_project(package, folder) == Project(folder / "tinyproof.toml", folder / "build")
    settings = folder.parent / "tinyproof.toml"
    settings.touch()
    assert find_project(package, folder) == find_project(clone, folder) == Project(settings, folder / "build")


def test_messages_call_the_command_as_it_is_called_there(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "tinyproof"):
        (tmp_path / name).touch()
    assert command_of(tmp_path, tmp_path) == "./tinyproof"
    assert command_of(tmp_path, tmp_path / "firmware") == "../tinyproof"
    assert command_of(tmp_path, Path("/elsewhere")) == str(tmp_path / "tinyproof")
    assert command_of(tmp_path / "site-packages", Path("/elsewhere")) == "tinyproof"
