# SPDX-License-Identifier: Apache-2.0
"""The report: reads the artefacts of a build and writes one self-contained HTML page and PNG figures."""
