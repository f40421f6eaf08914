# SPDX-License-Identifier: Apache-2.0
"""The command line: words into calls, results into words."""
