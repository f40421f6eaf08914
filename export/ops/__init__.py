# SPDX-License-Identifier: Apache-2.0
"""The operators that the compiled engine supports, by the name in the TFLite schema.

Each class in this folder that has `names` is one: there is no list to keep.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from tinyproof.export.ops.base import Op

# Only where floats enter and leave a model; they are folded away, so that the device sees integers alone.
ENDS = ("QUANTIZE", "DEQUANTIZE")


def _registry() -> dict[str, type[Op]]:
    found: dict[str, type[Op]] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for value in vars(importlib.import_module(f"{__name__}.{module}")).values():
            if inspect.isclass(value) and issubclass(value, Op) and "names" in vars(value):
                found |= dict.fromkeys(value.names, value)
    return dict(sorted(found.items()))


OPS = _registry()
