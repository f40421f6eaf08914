# SPDX-License-Identifier: Apache-2.0
"""Questions that a check asks: which inputs make a fault show in the answers, and how many of the faults they show."""
