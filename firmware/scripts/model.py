# SPDX-License-Identifier: Apache-2.0
"""PlatformIO pre-script of every environment: finds the model, refuses stale artefacts, adds it to the build.

TINYPROOF_MODEL is a name (build/NAME) or a path; without it the model exported last is taken.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from SCons.Script import Import

from tinyproof.core.board_spec import find_board
from tinyproof.core.errors import TinyproofError, UsageError
from tinyproof.core.paths import BUILD, CURRENT_FILE
from tinyproof.firmware.dialects import MLPERF, mlperf_sample
from tinyproof.firmware.platform.builder import object_cache
from tinyproof.firmware.platformio_build import PROFILE, check_artefacts

Import("env")
env: Any = globals()["env"]

FIRMWARE = Path(env.subst("$PROJECT_DIR")).resolve()
ROOT = FIRMWARE.parent


def find_model() -> Path:
    """The model's build folder. Raises UsageError where none was named and none exported."""
    name = os.environ.get("TINYPROOF_MODEL", "")
    if not name:
        try:
            name = CURRENT_FILE.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            raise UsageError("no model has been exported yet; run ./tinyproof train and ./tinyproof export") from None
    return Path(name).resolve() if os.sep in name else BUILD / name


def optimise_for_speed(env: Any, node: Any) -> Any:
    """The model and the kernels inlined into it are worth -O2; all else is built for size."""
    return env.Object(node, OPTIMISE="-O2")


try:
    board = find_board(env["PIOENV"])
    model_dir = find_model()
    manifest = check_artefacts(model_dir)
    variant = os.environ.get("TINYPROOF_VARIANT", "")
    sample = mlperf_sample(board, manifest) if variant == MLPERF else None
except TinyproofError as error:
    sys.stderr.write(f"error: {error.message}\n")
    env.Exit(1)

if board.kind == "simulated":  # before anything is named that has to be compiled
    object_cache.keep_objects(env, Path(env.subst("$PROJECT_WORKSPACE_DIR")) / "objects", model_dir)
env.Replace(TINYPROOF_MODEL_ID=manifest.model_id)
# Kernels for an extension of the core go first; where they have none of a name, the plain one is found.
folders = [f"engine/{kernels}" for kernels in board.build.kernels] + ["engine", "hal", "protocol"]
env.Append(
    CPPPATH=[str(FIRMWARE / "lib" / folder) for folder in folders] + [str(model_dir)],
    # Debug information names files by their place in the project, so that every checkout builds the same ELF.
    # The last map that fits wins, so a model inside the project gets its own name, too.
    CCFLAGS=[f"-ffile-prefix-map={ROOT}=.", f"-ffile-prefix-map={model_dir}=model"],
    # SCons puts CPPFLAGS behind CCFLAGS, and of several -O the compiler takes the last.
    CPPFLAGS=["$OPTIMISE"],
)
# What the engine is fed with: C of its own for the compiled one, the .tflite as an array for Google's interpreter.
source, folder = env.GetProjectOption("custom_model_source", "model_compiled.c"), model_dir
if variant == PROFILE:  # `tinyproof profile`: the engine that times each operator, and its model
    source, folder = "model_profile.c", model_dir / "profile"
    env.Append(
        CPPPATH=[str(folder)],
        SRC_FILTER=["-<../lib/engine/engine_compiled.c>", "+<../lib/profile/engine_profile.c>"],
    )
    env.AddBuildMiddleware(optimise_for_speed, "*model_profile.c")
elif sample is not None:  # `tinyproof build --dialect mlperf`: one file in the place of the protocol's
    used = [f"+<../lib/protocol/{name}.c>" for name in ("quantize", "reply", "number", "crc16")]
    env.Append(
        CPPDEFINES=[
            (name, env.StringifyMacro(value) if isinstance(value, str) else value)
            for name, value in sample.defines().items()
        ],
        SRC_FILTER=["-<../lib/protocol/*.c>", *used, "+<../lib/mlperf/*.c>"],
    )
env.AddBuildMiddleware(optimise_for_speed, "*model_compiled.c")
env.BuildSources("$BUILD_DIR/model", str(folder), f"-<*> +<{source}>")
