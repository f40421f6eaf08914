# SPDX-License-Identifier: Apache-2.0
"""What can stand behind a port: an emulator, the reference board, a real board that is flashed."""
