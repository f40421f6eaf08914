# SPDX-License-Identifier: Apache-2.0
"""Objects that one build has compiled, for the next: most of a firmware does not know which model it runs.

SCons keeps them under a sum of all that they are made from: the contents of the source and of every header that it
includes, the compiler and its command. The folder that a build lies in is no part of that, since no object says where
it was compiled (-ffile-prefix-map in scripts/model.py). What depends on the model is kept, too, under its own sum.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from SCons.CacheDir import CacheDir
from SCons.Defaults import StaticObjectEmitter
from SCons.Tool import createObjBuilders
from SCons.Util import hash_collect, hash_signature

PREFIX = 2  # hex digits of a sum that name a folder
FRAMES = ".su"
UNUSED_S = 30 * 24 * 3600.0  # what no build has taken for so long is removed


class ObjectCache(CacheDir):  # type: ignore[misc]
    """SCons' cache, of files that are the same wherever a build lies, and without its lock: a build that is killed
    would leave it to all that follow."""

    place = ""  # of the model, which a command names

    def _readconfig(self, path: str) -> None:
        """In place of a file that says the same in every cache."""
        Path(path).mkdir(parents=True, exist_ok=True)
        self.config = {"prefix_len": PREFIX}

    def cachepath(self, node: Any) -> tuple[Path, Path] | tuple[None, None]:
        """The folder and the file for a target. Its path, which SCons counts in, gives way to its name: of several
        targets of one command each has its own."""
        if not self.is_enabled():
            return None, None
        if not hasattr(node, "cachesig"):  # SCons' own place for it, since a node that is built forgets its command
            command = node.get_executor().get_contents().replace(self.place.encode(), b"model")
            contents = [child.get_csig() for child in node.children()]
            node.cachesig = hash_collect([*contents, hash_signature(command), node.name])
        folder = Path(self.path) / node.cachesig[:PREFIX]
        return folder, folder / node.cachesig


def keep_objects(env: Any, folder: Path, model_dir: Path) -> None:
    """Take from `folder` what is compiled already, and put there what is not.

    All is to be compiled with -fstack-usage, but for what an environment with TINYPROOF_FRAMES=False compiles.
    """
    _remove_unused(folder)
    ObjectCache.place = str(model_dir)
    for suffix in (".c", ".cpp"):
        createObjBuilders(env)[0].add_emitter(suffix, _with_frames)
    env.Append(PROGEMITTER=[_without_frames])
    env.CacheDir(str(folder), ObjectCache)


def _with_frames(target: Any, source: Any, env: Any) -> Any:
    """The compiler's list of frames is a target, too, so that it comes out of the cache with its object."""
    target, source = StaticObjectEmitter(target, source, env)
    if env.get("TINYPROOF_FRAMES", True):
        target.append(target[0].dir.File(Path(target[0].name).with_suffix(FRAMES).name))
    return target, source


def _without_frames(target: Any, source: Any, env: Any) -> Any:
    """The linker takes objects only."""
    return target, [node for node in source if Path(node.name).suffix != FRAMES]


def _remove_unused(folder: Path) -> None:
    oldest = time.time() - UNUSED_S  # SCons touches what it takes
    for file in folder.glob("??/*"):
        try:
            if file.is_file() and file.stat().st_mtime < oldest:
                file.unlink()
        except FileNotFoundError:
            pass  # another build has removed it
