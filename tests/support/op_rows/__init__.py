# SPDX-License-Identifier: Apache-2.0
"""The operators' table: each module of this folder has rows of its family, and refusals. There is no list to keep."""

from __future__ import annotations

import importlib
import pkgutil

from support.op_table import Refusal, Row

_MODULES = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]

ROWS: list[Row] = [row for module in _MODULES for row in module.ROWS]
REFUSALS: list[Refusal] = [refusal for module in _MODULES for refusal in module.REFUSALS]
