# SPDX-License-Identifier: Apache-2.0
"""What all stages agree on: manifest, configuration, boards, errors, paths and data sets."""
