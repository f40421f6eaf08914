# SPDX-License-Identifier: Apache-2.0
"""Operators run alone on contents that the board makes itself: what a right board answers, and what this one does.

The golden reference runs the same operators of the .tflite as a file of their own (core/tflite/cutting.py). What it
answers is kept in the build, so that a second check only asks the board.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyproof.core.files import keep_inside, write_at_once
from tinyproof.core.manifest import Manifest
from tinyproof.core.reference.golden import Reference, default_implementation
from tinyproof.core.tflite.layer_probes import SEED, VERSION, LayerProbe, ProbeTensor
from tinyproof.core.version import __version__
from tinyproof.host.expected import load_reference, read_vectors
from tinyproof.host.session import Session

FILE = "probes.json"
REQUEST = struct.Struct("<3I")  # seed, first and end, the last input of the tracing firmware (engine_profile.c)
# Trials of one request each: many of them only the cheapest operators are worth.
ROUNDS = (range(4), range(4, 16), range(16, 64), range(64, 512))


@dataclass(frozen=True)
class Probing:
    """What is to be asked. `probes`: of each step, or why it has none; `digests`: of each round, those of all steps."""

    probes: Sequence[LayerProbe | str]
    digests: Sequence[Sequence[int]]

    @property
    def rounds(self) -> list[tuple[range, Sequence[int]]]:
        """Those that any step is worth."""
        most = max((probe.trials for probe in self.probes if isinstance(probe, LayerProbe)), default=0)
        return [one for one in zip(ROUNDS, self.digests, strict=True) if one[0].start < most]


def probing_of(
    build_dir: Path, folder: Path, manifest: Manifest, probes: Sequence[LayerProbe | str], arena_bytes: int
) -> Probing:
    """With the reference's answers, out of `folder`, a part of the build, where they are there already. `arena_bytes`:
    of the plan. Raises what the reference raises."""
    tflite = (build_dir / "model.tflite").read_bytes()
    about = repr((VERSION, SEED, [(one.start, one.stop) for one in ROUNDS], probes, arena_bytes)).encode()
    origin = hashlib.sha256(hashlib.sha256(tflite).digest() + about).hexdigest()
    reference = f"{default_implementation()} {__version__}"
    target = keep_inside(folder, build_dir) / FILE
    found = _read(target, origin, reference)
    if found is None:
        found = _compute(build_dir, manifest, probes, arena_bytes, ROUNDS)
        write_at_once(target, json.dumps({"origin": origin, "reference": reference, "digests": found}) + "\n")
    return Probing(probes, found)


def whole_digests(
    build_dir: Path, manifest: Manifest, probes: Sequence[LayerProbe | str], arena_bytes: int
) -> list[int]:
    """Of each step the digest of all its trials, as who runs them at once answers it; 0 where it has no probe."""
    return _compute(build_dir, manifest, probes, arena_bytes, [range(ROUNDS[-1].stop)])[0]


def _read(path: Path, origin: str, reference: str) -> list[list[int]] | None:
    """None where there is nothing that can be trusted to be of this build."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if (document["origin"], document["reference"]) != (origin, reference):
            return None
        return [[int(digest) for digest in row] for row in document["digests"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _compute(
    build_dir: Path,
    manifest: Manifest,
    probes: Sequence[LayerProbe | str],
    arena_bytes: int,
    rounds: Sequence[range],
) -> list[list[int]]:
    from tinyproof.core.tflite.probe_contents import step_digest  # loads NumPy

    computes = _computes(build_dir, manifest, probes)
    return [
        [
            step_digest(probe, arena_bytes, step, trials, computes[step]) if isinstance(probe, LayerProbe) else 0
            for step, probe in enumerate(probes)
        ]
        for trials in rounds
    ]


def _computes(
    build_dir: Path, manifest: Manifest, probes: Sequence[LayerProbe | str]
) -> dict[int, Callable[[Sequence[bytes]], list[bytes]]]:
    """Of each step that has a probe, what the reference makes of its inputs."""
    from tinyproof.core.tflite.cutting import Cutter, operators_between
    from tinyproof.core.tflite.reader import read_graph

    tflite = (build_dir / "model.tflite").read_bytes()
    graph, cutter = read_graph(tflite), Cutter(tflite)
    asked = {step: probe for step, probe in enumerate(probes) if isinstance(probe, LayerProbe)}
    # What lost channels has the same values in them for every input: any one shows which.
    lost = sorted({one.part.index for probe in asked.values() for one in probe.inputs if one.part.kept is not None})
    whole: dict[int, bytes] = {}
    if lost:
        reference = load_reference(build_dir, manifest)
        whole = dict(zip(lost, reference.trace(read_vectors(build_dir).inputs[0], lost), strict=True))
    found = {}
    for step, probe in asked.items():
        inputs, outputs = ([one.part.index for one in end] for end in (probe.inputs, probe.outputs))
        between = operators_between(graph, inputs, outputs)
        assert between
        alone = Reference(cutter.cut(between, inputs, outputs), file=f"model.tflite, step {step} alone")
        found[step] = _compute_of(alone, probe, whole, [graph.tensors[index].bytes for index in outputs])
    return found


def _compute_of(
    alone: Reference, probe: LayerProbe, whole: dict[int, bytes], sizes: Sequence[int]
) -> Callable[[Sequence[bytes]], list[bytes]]:
    def compute(contents: Sequence[bytes]) -> list[bytes]:
        made = alone.run(b"".join(_completed(probe.inputs, contents, whole)))
        found = []
        for tensor, size in zip(probe.outputs, sizes, strict=True):
            found.append(tensor.part.of(made[:size]))
            made = made[size:]
        return found

    return compute


def _completed(tensors: Sequence[ProbeTensor], contents: Sequence[bytes], whole: dict[int, bytes]) -> Iterable[bytes]:
    for tensor, content in zip(tensors, contents, strict=True):
        yield tensor.part.into(whole[tensor.part.index], content) if tensor.part.index in whole else content


def ask_probes(session: Session, probing: Probing, content: bytes, steps: int) -> int | None:
    """The first step that answers anything else than the reference, or None. `content`: any input of the model, which
    an inference takes; `steps`: how many digests an answer begins with."""
    wrong: list[int] = []
    for trials, right in probing.rounds:
        request = REQUEST.pack(SEED, trials.start, trials.stop)
        record = session.inference.by_parts(content + request).output
        got = struct.unpack_from(f"<{steps}I", record)
        wrong += [step for step, (ours, theirs) in enumerate(zip(got, right, strict=True)) if ours != theirs]
    return min(wrong, default=None)
