# SPDX-License-Identifier: Apache-2.0
"""`python note_command.py FILE PROGRAM ARGUMENT...` writes PROGRAM, as its full path where the PATH has it, and its
arguments to FILE, a list in JSON. In front of a command it says what a shell makes of that."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


def main() -> None:
    """The program itself; no import of ours, since any Python may run it."""
    target, program, *arguments = sys.argv[1:]
    Path(target).write_text(json.dumps([shutil.which(program) or program, *arguments]), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
