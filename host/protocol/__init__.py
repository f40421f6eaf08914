# SPDX-License-Identifier: Apache-2.0
"""The serial protocol as text: frames, messages, status codes, and a model of the device. No I/O."""
