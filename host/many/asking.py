# SPDX-License-Identifier: Apache-2.0
"""Asks a board inferences whose inputs it makes itself, by a digest of many at once, and finds the first that differs.

So the line carries a few bytes for hundreds of inferences. A board that makes no inputs is asked the same ones one by
one over the line.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tinyproof.core.config import CheckConfig
from tinyproof.core.errors import BoardError, UsageError
from tinyproof.core.manifest import TensorSpec
from tinyproof.core.reference.golden import Reference
from tinyproof.core.tflite.made_inputs import SEED_MAX, VERSION, digest_of_all, make_input
from tinyproof.host.bits import Divergence, Progress, ask_samples, divergence_at
from tinyproof.host.expected import load_reference
from tinyproof.host.many.expected import ExpectedDigests
from tinyproof.host.protocol import status
from tinyproof.host.session import Session
from tinyproof.host.transport.client import DeviceError

FRAMES = 32  # of a model with state, from one reset to the next
MOST_AT_ONCE = 1024  # that a board takes, docs/protocol.md
# Of the time to wait for an answer, what a request may take: a machine that is busy must not make it late.
SHARE = 0.25
GROWTH = 4  # from one request to the next, at most


@dataclass
class ManyResult:
    """`count` inputs of `seed` were wanted, of which `checked` were compared until one differed. `frames`: inputs from
    one reset to the next, of a model with state; 1 where each stands for itself. `on_board`: whether the board made
    them; `note` says why not. `fault`: what is wrong where no answer is; `divergences` has at most one where the board
    makes the inputs, since the search ends at the first. `seconds`: of all, and `board_seconds` of those the ones in
    which the board was being waited for; `known`: answers of the reference that an earlier check had left."""

    count: int
    seed: int
    frames: int = 1
    on_board: bool = True
    note: str = ""
    checked: int = 0
    different: int = 0
    divergences: list[Divergence] = field(default_factory=list)
    layer_note: str = ""
    fault: str = ""
    requests: int = 0
    known: int = 0
    seconds: float = 0.0
    board_seconds: float = 0.0

    @property
    def identical(self) -> bool:
        """Whether all were compared, and each answer was the reference's."""
        return self.checked == self.count and not self.different and not self.fault

    @property
    def per_second(self) -> float:
        """Inferences compared per second, all told."""
        return self.checked / self.seconds if self.seconds else 0.0

    @property
    def board_share(self) -> float:
        """Of the time, what the board took."""
        return self.board_seconds / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For check.json and --json."""
        return {
            **asdict(self),
            "seconds": round(self.seconds, 3),
            "board_seconds": round(self.board_seconds, 3),
            "per_second": round(self.per_second, 1),
            "identical": self.identical,
        }

    def mismatch(self, board: str) -> str:
        """What is wrong, in one line; empty when nothing is."""
        made = f"inputs made of seed {self.seed}"
        if self.divergences:
            return f"{self.different} of {self.checked:,} {made} differ on {board}; first: {self.divergences[0]}"
        return f"{made} on {board}: {self.fault}" if self.fault else ""


def ask_many(session: Session, build_dir: Path, config: CheckConfig, progress: Progress | None) -> ManyResult:
    """Compares config.vectors inferences of config.seed. Raises BoardError as the session does, UsageError where the
    numbers are beyond what a board takes, EnvironmentFaultError when the reference stops."""
    if not (0 <= config.seed <= SEED_MAX and 0 < config.vectors <= SEED_MAX):
        raise UsageError(f"--seed and --vectors go up to {SEED_MAX}")
    reference = load_reference(build_dir, session.manifest)
    if not config.total_s:  # which is for the whole check
        session.expect(config.vectors, config)
    started = time.perf_counter()
    if note := _why_not(session, reference):
        result = _over_the_line(session, reference, config, progress)
        result.note = note
    else:
        result = _Asking(session, build_dir, reference, config, progress).run()
    result.seconds = time.perf_counter() - started
    return result


def frames_before(inputs: Sequence[TensorSpec], result: ManyResult, index: int) -> list[bytes]:
    """What a model with state has heard since its reset when input `index` comes."""
    start = index // result.frames * result.frames
    return [make_input(inputs, result.seed, each) for each in range(start, index)]


def _why_not(session: Session, reference: Reference) -> str:
    """Why the board cannot make the inputs itself, in words; empty where it can."""
    if reference.takes_places:
        return "inputs that say where something is would name what is not there"
    if session.info.many != VERSION:
        return "its firmware makes no inputs of this kind; ./tinyproof build makes one that does"
    return ""


def _over_the_line(
    session: Session, reference: Reference, config: CheckConfig, progress: Progress | None
) -> ManyResult:
    frames = FRAMES if session.manifest.stateful else 1
    samples = (
        [
            reference.admit(make_input(session.x.tensors, config.seed, index))
            for index in range(start, min(start + frames, config.vectors))
        ]
        for start in range(0, config.vectors, frames)
    )
    bits = ask_samples(session, samples, config.vectors, reference.run_batch, progress)
    return ManyResult(
        *(config.vectors, config.seed, frames),
        on_board=False,
        checked=bits.checked,
        different=bits.different,
        divergences=[replace(one, index=one.index * frames + (one.frame or 0), frame=None) for one in bits.divergences],
        requests=bits.round_trips,
        board_seconds=bits.seconds,
    )


class _Asking:
    """The inputs from first to last, as many at once as the board answers in a moment."""

    def __init__(
        self,
        session: Session,
        build_dir: Path,
        reference: Reference,
        config: CheckConfig,
        progress: Progress | None,
    ) -> None:
        self._session, self._build_dir, self._reference, self._progress = session, build_dir, reference, progress
        self._moment_s = config.timeout_s * SHARE
        self._result = ManyResult(config.vectors, config.seed)
        self._digests: ExpectedDigests

    def run(self) -> ManyResult:
        result = self._result
        if self._session.manifest.stateful:
            result.frames = self._frames_in_time()
        asked = ExpectedDigests(self._build_dir, self._session.manifest, result.seed, result.count, result.frames)
        with asked as self._digests:
            result.known = asked.known
            at_once = result.frames
            while result.checked < result.count and not result.different and not result.fault:
                count = min(at_once, result.count - result.checked)
                seconds = self._compare(result.checked, count)
                if result.frames == 1:
                    fitting = int(count * self._moment_s / seconds)
                    at_once = max(1, min(fitting, GROWTH * count, MOST_AT_ONCE))
        return result

    def _frames_in_time(self) -> int:
        """FRAMES, or fewer where the board takes too long for them: a power of two, so that it seldom varies."""
        _, seconds = self._ask(0, 1)
        frames = FRAMES
        while frames > 1 and frames * seconds > self._moment_s * 2:
            frames //= 2
        return frames

    def _ask(self, first: int, count: int) -> tuple[int, float]:
        """The board's digest, and the seconds until it came."""
        started = time.perf_counter()
        digest = self._session.inference.many(self._result.seed, first, count)
        seconds = time.perf_counter() - started
        self._result.requests += 1
        self._result.board_seconds += seconds
        return digest, seconds

    def _right(self, first: int, count: int) -> int:
        return digest_of_all(self._digests.of(first, count))

    def _compare(self, first: int, count: int) -> float:
        """Asks, and finds the first that differs where one does. Returns the seconds that the board took."""
        result = self._result
        digest, seconds = self._ask(first, count)
        if digest == self._right(first, count):
            result.checked += count
        else:
            index = self._first_different(first, count)
            result.checked = index + 1
            self._look_at(index, first)
        if self._progress is not None:
            self._progress(result.checked, result.count)
        return seconds

    def _first_different(self, first: int, count: int) -> int:
        """Of inputs that together gave another digest, by halves. With state each question begins where this one did,
        else where all before it is known to be right."""
        low, high = first, first + count
        while high - low > 1:
            middle = (low + high) // 2
            start = first if self._result.frames > 1 else low
            digest, _ = self._ask(start, middle - start)
            low, high = (middle, high) if digest == self._right(start, middle - start) else (low, middle)
        return low

    def _look_at(self, index: int, first: int) -> None:
        """What the board answers to the input that differs."""
        result, session = self._result, self._session
        start = first if result.frames > 1 else index
        heard = [make_input(session.x.tensors, result.seed, each) for each in range(start, index + 1)]
        golden = self._reference.run_batch(heard)[-1]
        digest, output = self._ask_for_output(start, index + 1 - start)
        result.different = 1
        if output != golden:
            values = session.y.values(output)
            result.divergences = [divergence_at(session, (index, None), heard[-1], golden, values)]
        elif digest == self._right(start, index + 1 - start):
            result.fault = f"of {index - first + 1} from input {first} on, one was answered wrongly once, and not again"
        else:
            result.fault = f"its answer to input {index} is right, but the input that it makes is another"

    def _ask_for_output(self, first: int, count: int) -> tuple[int, bytes]:
        """Both again where the board restarts in between."""
        for attempt in range(self._session.client.retries + 1):
            digest, _ = self._ask(first, count)
            try:
                return digest, self._session.inference.read_output()
            except DeviceError as error:
                if error.code != status.STATE or attempt == self._session.client.retries:
                    raise
        raise BoardError("the board restarts whenever it is asked for an output; is its power supply sound?")
