# SPDX-License-Identifier: Apache-2.0
"""The golden reference over inputs of a seed, in a process of its own: what a board's digests are held against.

`python -m tinyproof.host.many.reference_process BUILD_DIR --seed ...` writes the digest of each inference
to stdout, four bytes little-endian, and ends when nobody reads them any more.
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

from tinyproof.core.manifest import read_manifest
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.made_inputs import digest_of, make_input


def digests(build_dir: Path, seed: int, blocks: Iterator[range]) -> Iterator[bytes]:
    """Of each block of inputs, the first of which comes right after a reset, the digests one after the other."""
    tensors = read_manifest(build_dir).inputs
    reference = Reference((build_dir / "model.tflite").read_bytes())
    for block in blocks:
        reference.reset()
        made = (make_input(tensors, seed, index) for index in block)
        yield b"".join(struct.pack("<I", digest_of(content, reference.run(content))) for content in made)


def blocks_of(first: int, count: int, size: int, share: int, shares: int) -> Iterator[range]:
    """Every `shares`th block of `size` inputs, from number `share` on, of those from `first` to `count`."""
    for start in range(first + share * size, count, shares * size):
        yield range(start, min(start + size, count))


def main() -> None:
    """The process itself."""
    parser = argparse.ArgumentParser(prog="tinyproof.host.many.reference_process", description=__doc__)
    parser.add_argument("build_dir", type=Path)
    for name in ("seed", "first", "count", "size", "share", "shares"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args()
    blocks = blocks_of(asked.first, asked.count, asked.size, asked.share, asked.shares)
    for content in digests(asked.build_dir, asked.seed, blocks):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
