# SPDX-License-Identifier: Apache-2.0
"""A build whose generated C holds another weight than the model, as if the exporter were broken."""

from __future__ import annotations

import re
from pathlib import Path

from tinyproof.core.manifest import read_manifest

LAYER = 2  # in the middle of the network
OPERATOR = f"operator {LAYER} (FULLY_CONNECTED)"
TENSOR = "t7"
WEIGHTS = re.compile(rf"(static KERNEL_TABLE int8_t op{LAYER}_weights\[[^]]*\] = \{{\s*)(-?\d+)")


def bend_a_weight(folder: Path) -> None:
    """The first weight of operator LAYER turned over, and the manifest made to say that this is the export."""
    path = folder / "model_compiled.c"
    text, count = WEIGHTS.subn(lambda at: f"{at[1]}{-128 if int(at[2]) >= 0 else 127}", path.read_text("utf-8"))
    assert count == 1, "the generated C names its weights otherwise now"
    path.write_text(text, encoding="utf-8")
    manifest = read_manifest(folder)
    manifest.add_artefact(path)
    manifest.write(folder)
