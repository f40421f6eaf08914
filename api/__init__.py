# SPDX-License-Identifier: Apache-2.0
"""tinyproof: a Keras or .tflite model on a microcontroller, with proof that the board computes the same bits.

    import tinyproof

    proof = tinyproof.check("model.tflite", "qemu-cortex-m4")
    assert proof.proven, proof.fault

Nothing here prints. What a user can mend is a `TinyproofError`; each subclass says whose fault it is.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import tinyproof.export as _stage
from tinyproof.core.version import __version__

if TYPE_CHECKING:
    from tinyproof.core.errors import (
        BoardError,
        EnvironmentFaultError,
        InputFileError,
        MismatchError,
        TinyproofError,
        UsageError,
    )
    from tinyproof.firmware.platformio_build import BuildResult
    from tinyproof.pipeline import assert_proven, build, check, export, inspect, profile, simulate
    from tinyproof.results import (
        BoardAt,
        BoardFit,
        Exported,
        FirstDifference,
        Inspection,
        OperatorCost,
        OperatorShape,
        Profile,
        Proof,
        Simulation,
    )

__all__ = [
    "BoardAt",
    "BoardError",
    "BoardFit",
    "BuildResult",
    "EnvironmentFaultError",
    "Exported",
    "FirstDifference",
    "InputFileError",
    "Inspection",
    "MismatchError",
    "OperatorCost",
    "OperatorShape",
    "Profile",
    "Proof",
    "Simulation",
    "TinyproofError",
    "UsageError",
    "__version__",
    "assert_proven",
    "build",
    "check",
    "export",
    "inspect",
    "profile",
    "simulate",
]

_ERRORS = {name for name in __all__ if name.endswith("Error")}
_PLACES = {
    "tinyproof.core.errors": _ERRORS,
    "tinyproof.firmware.platformio_build": {"BuildResult"},
    "tinyproof.pipeline": {"assert_proven", "build", "check", "inspect", "profile", "simulate"},
    "tinyproof.results": {name for name in __all__ if name[0].isupper()} - _ERRORS - {"BuildResult"},
}


def __getattr__(name: str) -> Any:
    """Loads what stands behind a name when it is first used: `import tinyproof` costs next to nothing."""
    for module, names in _PLACES.items():
        if name in names:
            value = getattr(importlib.import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _ExportStage(ModuleType):
    """`tinyproof.export` is the folder of the stage, and the function that calls it: Python sets the name of a
    sub-package in its package, over any function of that name."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        from tinyproof.pipeline import export

        return export(*arguments, **options)


_stage.__class__ = _ExportStage
assert sys.modules["tinyproof.export"] is _stage
