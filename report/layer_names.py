# SPDX-License-Identifier: Apache-2.0
"""Names of tensors as people know their layers."""

from __future__ import annotations

import re


def layer_name(name: str, room: int = 44) -> str:
    """The layer, and what in it, of a tensor's name such as "sequential_1/conv_1/convolution;sequential_1/conv_1/Relu":
    what the whole model is called says nothing. Long names lose their middle."""
    first = name.split(";")[0]
    short = re.sub(r"^[^/]+/(?=[^/]+/.)|^(sequential|functional|model)(_\d+)?/(?=.)", "", first) or "unnamed"
    half = room // 2 - 1
    return short if len(short) <= room else f"{short[:half]}…{short[-half:]}"
