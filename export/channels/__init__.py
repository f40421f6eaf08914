# SPDX-License-Identifier: Apache-2.0
"""Which channels of a network live, and the same network without the others: bit for bit the same answers."""
