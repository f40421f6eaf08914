# SPDX-License-Identifier: Apache-2.0
"""The Python reference's kernels, by operator. Each module of this folder registers its own with @computes."""

from __future__ import annotations

import importlib
import pkgutil

from tinyproof.core.reference.bound_operator import KERNELS

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["KERNELS"]
