# SPDX-License-Identifier: Apache-2.0
"""Where in the bytes of a .tflite the data of its constants lie."""

from __future__ import annotations

from tinyproof.core.tflite.flatbuffer import Flatbuffer
from tinyproof.core.tflite.schema import IDENTIFIER


def data_offsets(tflite: bytes) -> dict[int, int]:
    """By tensor of the main subgraph, the offset of its first byte of data; nothing for one that has none. `tflite` is
    one that the reader takes; several tensors may share their data."""
    root = Flatbuffer(tflite, "model.tflite").root(IDENTIFIER)
    buffers = root.tables(4, "buffer")
    places = [buffer.place(0, "its data") for buffer in buffers]
    found = {}
    for index, tensor in enumerate(root.tables(2, "subgraph")[0].tables(0, "tensor")):
        number = tensor.integer(2, "I")
        if 0 < number < len(places) and places[number]:
            found[index] = places[number]
    return found
