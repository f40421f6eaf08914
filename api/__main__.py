# SPDX-License-Identifier: Apache-2.0
from tinyproof.cli.main import main

main(prog_name="tinyproof")  # in usage lines, however Python was told to run it
