# SPDX-License-Identifier: Apache-2.0
"""What the golden reference's answers to the inputs of a seed come to, made while the board computes its own."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import struct
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from tinyproof.core.errors import EnvironmentFaultError, UsageError
from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.core.manifest import Manifest
from tinyproof.core.paths import shown
from tinyproof.core.processors import usable_processors
from tinyproof.core.reference.golden import default_implementation
from tinyproof.core.tflite import made_inputs
from tinyproof.core.version import __version__
from tinyproof.host.targets.child_process import Child

FILE = "many.json"
BLOCK = 16  # inputs of a model without state that a process answers before the next one's turn
DIGEST_BYTES = 4
MOST_PROCESSES = 8


@dataclass(frozen=True)
class Origin:
    """What decides the digests: another of these, and they are computed anew. `frames`: inputs from one reset to the
    next; 1 of a model without state. `reference`: the implementation and its version."""

    model_sha256: str
    reference: str
    inputs: int  # the version of what makes them
    seed: int
    frames: int


class ExpectedDigests:
    """Digests of the inferences 0 to `count` - 1. A context manager, which ends its processes, and leaves what they
    found in the build's many.json. `known`: how many were there."""

    def __init__(self, build_dir: Path, manifest: Manifest, seed: int, count: int, frames: int) -> None:
        """Raises UsageError when model.tflite is missing or is not this build's."""
        path = build_dir / "model.tflite"
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        if not sha256.startswith(manifest.model_id):
            raise UsageError(f"{shown(path)} is missing or changed; run ./tinyproof export again")
        self._build_dir, self._count = build_dir, count
        self._origin = Origin(sha256, _reference(), made_inputs.VERSION, seed, frames)
        self._size = frames if frames > 1 else BLOCK
        self._digests = _read(build_dir, self._origin)
        # To be gone on with after whole blocks: of a model with state, an answer depends on those before it.
        whole = len(self._digests) // self._size * self._size
        self.known = count if len(self._digests) >= count else whole
        del self._digests[self.known :]
        self._processes: list[Child] = []
        self._stack = ExitStack()

    def __enter__(self) -> ExpectedDigests:
        missing = -(-(self._count - self.known) // self._size)
        shares = min(missing, max(1, usable_processors() - 1), MOST_PROCESSES)  # one is the emulator's
        with self._stack:
            for share in range(shares):
                self._processes.append(self._stack.enter_context(self._start(share, shares)))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if len(self._digests) > self.known:
            _write(self._build_dir, self._origin, self._digests)

    def of(self, first: int, count: int) -> list[int]:
        """Those of `count` inferences from `first` on, as soon as they are known. Raises EnvironmentFaultError when a
        process ends before that."""
        while len(self._digests) < first + count:
            self._take_block()
        return self._digests[first : first + count]

    def _start(self, share: int, shares: int) -> Child:
        origin = self._origin
        options = [f"--seed={origin.seed}", f"--first={self.known}", f"--count={self._count}"]
        options += [f"--size={self._size}", f"--share={share}", f"--shares={shares}"]
        # -P: nothing in the user's folder is imported in place of ours.
        command = [sys.executable, "-P", "-m", "tinyproof.host.many.reference_process", str(self._build_dir.resolve())]
        return Child([*command, *options], stdout=subprocess.PIPE)

    def _take_block(self) -> None:
        start = len(self._digests)
        process = self._processes[(start - self.known) // self._size % len(self._processes)]
        size = DIGEST_BYTES * min(self._size, self._count - start)
        assert process.process.stdout is not None
        content = process.process.stdout.read(size)
        if len(content) < size:
            process.ended_within(5.0)
            raise EnvironmentFaultError(f"the reference stopped, {process.epitaph()}")
        self._digests += struct.unpack(f"<{len(content) // DIGEST_BYTES}I", content)


def _reference() -> str:
    name = default_implementation()
    return f"{name} {importlib.metadata.version(name) if name != 'python' else __version__}"


def _read(build_dir: Path, origin: Origin) -> list[int]:
    """What an earlier check left of the same origin; nothing where the file is another's, or damaged."""
    try:
        document = json.loads((build_dir / FILE).read_text(encoding="utf-8"))
        content = bytes.fromhex(document["digests"])
        fits = document["origin"] == asdict(origin) and document["sha256"] == _sha256(origin, content)
        return list(struct.unpack(f"<{len(content) // DIGEST_BYTES}I", content)) if fits else []
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return []


def _write(build_dir: Path, origin: Origin, digests: list[int]) -> None:
    content = struct.pack(f"<{len(digests)}I", *digests)
    document = {"origin": asdict(origin), "sha256": _sha256(origin, content), "digests": content.hex()}
    write_at_once(keep_inside(build_dir, build_dir) / FILE, json.dumps(document, indent=1) + "\n")


def _sha256(origin: Origin, content: bytes) -> str:
    return hashlib.sha256(json.dumps(asdict(origin), sort_keys=True).encode() + content).hexdigest()
