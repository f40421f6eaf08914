# SPDX-License-Identifier: Apache-2.0
"""Ports and the client that asks one request at a time."""
