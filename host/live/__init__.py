# SPDX-License-Identifier: Apache-2.0
"""The live page and the conversation with the board behind it."""
