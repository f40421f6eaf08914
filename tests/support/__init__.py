# SPDX-License-Identifier: Apache-2.0
"""What several folders of tests share: writers of models, cases for operators, scripted boards, a browser."""
