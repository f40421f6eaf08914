# SPDX-License-Identifier: Apache-2.0
from tinyproof.cli.main import main

main()
