# SPDX-License-Identifier: Apache-2.0
"""Chromium without a window, for pictures of pages and tests of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tinyproof.core.errors import EnvironmentFaultError

if TYPE_CHECKING:
    from selenium import webdriver

ATTEMPTS = 5


def start_chromium(flags: Sequence[str], **capabilities: object) -> webdriver.Chrome:
    """A driver that listens, of a browser with these flags. Raises EnvironmentFaultError where it, or what drives it,
    is missing.

    Selenium looks for a free port and lets go of it before chromedriver takes it: another process may have come first,
    and chromedriver ends at once.
    """
    try:
        from selenium import webdriver
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        raise EnvironmentFaultError("pictures need selenium, which a clone's .venv has") from None
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or chromedriver is None:
        raise EnvironmentFaultError("pictures need Chromium: sudo apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in flags:
        options.add_argument(flag)
    for name, value in capabilities.items():
        options.set_capability(name, value)
    for attempt in range(ATTEMPTS):
        try:
            return webdriver.Chrome(options=options, service=Service(chromedriver))
        except WebDriverException as error:
            if "unexpectedly exited" not in str(error.msg) or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("no attempts")
