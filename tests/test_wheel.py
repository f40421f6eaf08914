# SPDX-License-Identifier: Apache-2.0
"""The wheel: everything under one name, and whose settings and builds an installed tinyproof works with."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tinyproof.cli.package_links import FOLDERS
from tinyproof.core.paths import ROOT, project_root


def tracked(folder: str) -> list[str]:
    """Files of a folder that belong to the project and are there, as paths inside it."""
    listed = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def test_the_wheel_holds_every_file_under_one_name(tmp_path: Path) -> None:
    names = [name for folder in ("api", *FOLDERS) for name in tracked(folder)]
    assert "firmware/boards/qemu-cortex-m4.toml" in names
    for name in (*names, "pyproject.toml", "README.md", "LICENSE"):
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "clone" / name)
    make = [sys.executable, "-P", "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "."]
    done = subprocess.run(make, cwd=tmp_path / "clone", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = (tmp_path / "clone").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert files == {f"tinyproof/{name.removeprefix('api/')}" for name in names}


def test_a_clone_keeps_its_builds_and_an_install_takes_the_users_folder(tmp_path: Path) -> None:
    clone, installed, folder = tmp_path / "clone", tmp_path / "site-packages" / "tinyproof", tmp_path / "work"
    for package in (clone, installed):
        package.mkdir(parents=True)
    (clone / "pyproject.toml").touch()
    (clone / "tinyproof").touch()
    assert project_root(clone, folder) == clone
    assert project_root(installed, folder) == folder
    (installed / "pyproject.toml").touch()  # of something else that lies there
    assert project_root(installed, folder) == folder
