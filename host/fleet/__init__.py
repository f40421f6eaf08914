# SPDX-License-Identifier: Apache-2.0
"""Boards that many share, on labgrid: its coordinator says whose turn it is, its exporters stand beside the boards.

labgrid itself is never imported here: it has an environment of its own, and what talks to it, in labgrid_side/, runs
there.
"""
