# SPDX-License-Identifier: Apache-2.0
"""Many inputs, which the board makes itself from a seed; the answers that are right come from processes beside it."""
