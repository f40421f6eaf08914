# SPDX-License-Identifier: Apache-2.0
"""The fuzz campaign: thousands of damaged models, each refused by name or compiled and run under the sanitizers.

    python tests/support/campaign.py --examples 20000 --seconds 600 model.tflite ...

prints one JSON document. A model that neither is refused with InputFileError nor compiles and answers like the golden
reference is a finding: it is kept in --keep with the seed in its name. Runs in a process of its own, with its memory
limited, so that a file that makes the reader allocate gigabytes is found, too.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import re
import resource
import subprocess
import sys
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support import effort  # noqa: E402
from support.mutating import mutate  # noqa: E402
from support.op_cases import Case, has_dsp_kernel, run_natively  # noqa: E402
from tinyproof.core.errors import InputFileError  # noqa: E402
from tinyproof.core.reference.golden import Reference  # noqa: E402
from tinyproof.core.tflite.reader import read_graph  # noqa: E402
from tinyproof.export.codegen import emit_header, emit_source  # noqa: E402
from tinyproof.export.lowering import lower  # noqa: E402
from tinyproof.export.memory_planner import plan_memory  # noqa: E402

MEMORY_BYTES = 3 << 30  # address space, of which the libraries themselves take a part
SLOW_S = 2.0  # of processor time for one file, several times what the largest honest model takes
BATCH_SOURCE_BYTES = 1 << 20  # of generated C in one program
MODELS_IN_BATCH = 40
RUN_ARENA_BYTES = 1 << 22  # an accepted model may ask for more than any board has; then it is compiled, not run


@dataclass
class Campaign:
    """Counts, and what was found. `batch` holds accepted models that wait for the compiler."""

    seconds: float
    keep: Path | None
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, Any]] = field(default_factory=list)
    batch: list[tuple[str, int, bytes]] = field(default_factory=list)
    batch_bytes: int = 0
    examples: int = 0
    accepted: int = 0
    compiled: int = 0
    compiled_dsp: int = 0
    slowest_s: float = 0.0

    def try_one(self, name: str, seed: int, tflite: bytes, sample: float) -> None:
        """Read, lower, plan and emit one file; keep an accepted one for the compiler with probability `sample`."""
        self.examples += 1
        started = time.process_time()
        try:
            program = lower(read_graph(tflite))
            plan = plan_memory(program)
            emit_header(program, plan, "0" * 16)
            source = emit_source(program, plan, "0" * 16)
        except InputFileError as error:
            spent = time.process_time() - started
            self._judge_refusal(name, seed, tflite, error.message)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {str(error)[:200]} at {Path(where.filename).name}:{where.lineno}"
            self._find(name, seed, tflite, text)
            spent = time.process_time() - started
        else:
            spent = time.process_time() - started
            self.accepted += 1
            # A loop that a mutation made endless never ends in TFLite Micro either.
            small = plan.arena_bytes <= RUN_ARENA_BYTES and not program.loops
            if small and random.Random(seed).random() < sample:
                self._add_to_batch(name, seed, tflite, len(source))
        self.slowest_s = max(self.slowest_s, spent)
        if spent > SLOW_S:
            self._find(name, seed, tflite, f"took {spent:.1f} s of processor time")

    def _add_to_batch(self, name: str, seed: int, tflite: bytes, source_bytes: int) -> None:
        try:
            ask_tflite_micro(tflite, ())
        except InputFileError as error:  # as an export would: the model has no golden reference
            self.accepted -= 1
            self._judge_refusal(name, seed, tflite, error.message)
            return
        except AssertionError as error:
            self._find(name, seed, tflite, str(error))
            return
        self.batch.append((name, seed, tflite))
        self.batch_bytes += source_bytes
        if self.batch_bytes > BATCH_SOURCE_BYTES or len(self.batch) >= MODELS_IN_BATCH:
            self.compile_batch()

    def _judge_refusal(self, name: str, seed: int, tflite: bytes, message: str) -> None:
        if "\n" in message or not message.startswith("model.tflite: ") or len(message) > 700 or not message.isascii():
            self._find(name, seed, tflite, f"a refusal that is not one plain line: {message[:200]!r}")
        shape = re.sub(r"'.*?'|\(.*?\)|\[.*?\]|-?[0-9][0-9,.e+-]*", "_", message.removeprefix("model.tflite: "))
        self.refused[shape[:70]] += 1

    def _find(self, name: str, seed: int, tflite: bytes, what: str) -> None:
        self.findings.append({"model": name, "seed": seed, "what": what})
        if self.keep is not None:
            self.keep.mkdir(parents=True, exist_ok=True)
            (self.keep / f"{name}-{seed}.tflite").write_bytes(tflite)

    def compile_batch(self) -> None:
        """All waiting models in one program under ASan and UBSan; where it fails, one after the other."""
        batch, self.batch, self.batch_bytes = self.batch, [], 0
        if not batch:
            return
        try:
            self._run(batch)
        except Exception:  # whatever it is, it names a file below
            for entry in batch:
                try:
                    self._run([entry])
                except Exception as error:
                    self._find(*entry, " ".join(f"{type(error).__name__}: {error}".split())[:400])

    def _run(self, batch: list[tuple[str, int, bytes]]) -> None:
        """With the plain kernels, then those models that have any with the kernels for the DSP extension."""
        cases, differing = [], []
        for name, seed, tflite in batch:
            program = lower(read_graph(tflite))
            size = program.input_bytes
            source = random.Random(seed)
            admit = Reference(tflite, "python").admit
            inputs = tuple(map(admit, (bytes([0x80]) * size, bytes([0x7F]) * size, source.randbytes(size))))
            cases.append(Case(f"{name}-{seed}", tflite, inputs))
            differing += [cases[-1]] if has_dsp_kernel(program) else []
        self._compare(cases, dsp=False)
        if differing:
            self._compare(differing, dsp=True)
        self.compiled += len(cases)
        self.compiled_dsp += len(differing)

    @staticmethod
    def _compare(cases: list[Case], dsp: bool) -> None:
        for case, got in zip(cases, run_natively(cases, dsp), strict=True):
            right = ask_tflite_micro(case.tflite, case.inputs)
            assert right == got, f"{case.label}: accepted, and its bits differ from tflite-micro's"
            python = Reference(case.tflite, "python").run_batch(case.inputs)
            assert python == got, f"{case.label}: accepted, and its bits differ from python's"

    def document(self, seed: int) -> dict[str, Any]:
        return {
            "seed": seed,
            "examples": self.examples,
            "refused": sum(self.refused.values()),
            "accepted": self.accepted,
            "compiled_and_run": self.compiled,
            "with_dsp_kernels": self.compiled_dsp,
            "seconds": round(self.seconds, 1),
            "slowest_s": round(self.slowest_s, 2),
            "findings": self.findings,
            "reasons": dict(self.refused.most_common(25)),
        }


def ask_tflite_micro(tflite: bytes, inputs: tuple[bytes, ...]) -> list[bytes]:
    """The wheel's answers, from a process of its own, since some damaged models crash it. Raises AssertionError where
    one did, or failed at run time, and InputFileError where it is refused."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            try:
                answer: Any = Reference(tflite, "tflite-micro").run_batch(inputs)
            except InputFileError as error:
                answer = error.message
            except Exception as error:
                answer = error
            pickle.dump(answer, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == 0, f"accepted, and TFLite Micro ends with signal {-status}"
    answer = pickle.loads(content)
    if isinstance(answer, str):
        raise InputFileError(answer)
    assert isinstance(answer, list), f"accepted, and TFLite Micro fails: {answer}"
    return answer


def run(
    models: list[Path], examples: int, seconds: float, seed: int, keep: Path | None, share: float
) -> dict[str, Any]:
    """Mutates the models at random until `examples` files were tried or `seconds` have passed. `share` of the accepted
    ones is compiled and run, of large models less: gcc is what a campaign spends its time in."""
    contents = {path.stem: path.read_bytes() for path in models}
    smallest = min(map(len, contents.values()))
    campaign = Campaign(0.0, keep)
    started = time.monotonic()
    # A large model costs more: each gets a share of the examples that falls with its size.
    weights = [(smallest / len(content)) ** 0.5 for content in contents.values()]
    chooser = random.Random(seed)
    for number in range(examples):
        if time.monotonic() - started > seconds:
            break
        name = chooser.choices(list(contents), weights)[0]
        content = contents[name]
        own = seed * 1_000_003 + number
        campaign.try_one(name, own, mutate(content, own), min(share, 5_000 * share / len(content)))
    campaign.compile_batch()
    campaign.seconds = time.monotonic() - started
    return campaign.document(seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--nightly", action="store_true", help="with all checks of the sanitizers")
    arguments = parser.parse_args()
    effort.nightly = arguments.nightly
    # The compiler's children inherit the limit and cannot reserve a sanitizer's shadow under it: lift it for them.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.RLIM_INFINITY))
    _lift_for_children()
    document = run(
        arguments.models, arguments.examples, arguments.seconds, arguments.seed, arguments.keep, arguments.share
    )
    json.dump(document, sys.stdout, indent=1)
    print()
    sys.exit(1 if document["findings"] else 0)


def _lift_for_children() -> None:
    plain = subprocess.run

    def lifted(*arguments: Any, **options: Any) -> Any:
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        try:
            return plain(*arguments, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    subprocess.run = lifted


if __name__ == "__main__":
    main()
