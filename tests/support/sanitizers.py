# SPDX-License-Identifier: Apache-2.0
"""How C is compiled for this machine: with the firmware's warnings as errors, under both sanitizers.

gcc's time is most of what the operators' tests cost, so a day leaves out what costs a third of it and finds hardly more
than AddressSanitizer, which sees every access: of UBSan the checks NIGHTLY_CHECKS.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from support import effort

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
FLAGS = [
    *STRICT,
    *("-O1", "-g1", *SANITIZERS),
    *("--param", "asan-instrumentation-with-call-threshold=0"),  # the same checks as calls: less to compile
]
# A null pointer ends in a fault in any case. The other two see a pointer that wraps around or leaves its object and is
# not used there, and an access so far beyond its object that it meets another one.
NIGHTLY_CHECKS = "null,pointer-overflow,object-size"


def compile_sanitized(arguments: Sequence[str], timeout_s: float = 600.0) -> None:
    """Raises AssertionError with gcc's words where it has any."""
    checks = [] if effort.nightly else [f"-fno-sanitize={NIGHTLY_CHECKS}"]
    command = ["gcc", *FLAGS, *checks, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr[:4000]
