# SPDX-License-Identifier: Apache-2.0
"""`python -m tinyproof`, which the launcher calls."""

from tinyproof.cli.main import main

main(prog_name="tinyproof")  # in usage lines, however Python was told to run it
