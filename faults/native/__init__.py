# SPDX-License-Identifier: Apache-2.0
"""A build's engine on this machine, with the very kernels of a board, and with tables that can be changed."""
