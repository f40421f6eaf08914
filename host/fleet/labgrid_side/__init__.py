# SPDX-License-Identifier: Apache-2.0
"""Programs that labgrid's own Python runs: they import labgrid and nothing of tinyproof."""
