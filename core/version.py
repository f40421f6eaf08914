# SPDX-License-Identifier: Apache-2.0
"""tinyproof's own version, as pyproject.toml reads it."""

__version__ = "0.2.0"
