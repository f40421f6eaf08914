# SPDX-License-Identifier: Apache-2.0
"""A build's model as a library for somebody's own firmware, in the form that their build system takes."""
