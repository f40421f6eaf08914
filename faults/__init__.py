# SPDX-License-Identifier: Apache-2.0
"""Faults planted into what is flashed, one at a time, and how many of them a check finds."""
