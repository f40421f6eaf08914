# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium without a window, as a reader sees a page. A missing browser is a failure, never a skip."""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from selenium import webdriver

from tinyproof.cli.chromium import start_chromium

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = (1280, 900), (390, 844)


@cache
def browser() -> webdriver.Chrome:
    """One for the whole process, with a profile of its own: to start one takes as long as a test does."""
    profile = tempfile.mkdtemp(prefix="tinyproof-chromium-")
    atexit.register(shutil.rmtree, profile, ignore_errors=True)
    flags = (*FLAGS, f"--user-data-dir={profile}", f"--window-size={WIDE[0]},{WIDE[1]}")
    driver = start_chromium(flags, **{"goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}})
    atexit.register(driver.quit)
    return driver


@contextlib.contextmanager
def chromium(size: tuple[int, int] = WIDE, *, dark: bool = False) -> Iterator[webdriver.Chrome]:
    """A tab of its own, of this size, with nothing in the logs."""
    driver = browser()
    home = driver.current_window_handle
    driver.switch_to.new_window("tab")
    try:
        for kind in ("browser", "performance"):
            logged(driver, kind)
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield driver
    finally:
        driver.close()
        driver.switch_to.window(home)


def console(driver: webdriver.Chrome) -> list[dict[str, Any]]:
    """Everything the page has logged since the last call: errors, warnings, refused resources."""
    return logged(driver, "browser")


def logged(driver: webdriver.Chrome, kind: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = driver.get_log(kind)  # type: ignore[no-untyped-call]  # as of selenium 4.51
    return entries


def requests(driver: webdriver.Chrome) -> list[str]:
    """Addresses asked for since the last call, other than data: and the browser's own pages."""
    addresses = []
    for entry in logged(driver, "performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            addresses.append(message["params"]["request"]["url"])
    return [address for address in addresses if not address.startswith(("data:", "chrome:", "about:"))]


def set_slider(driver: webdriver.Chrome, element: str, value: float) -> None:
    driver.execute_script(
        "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('input'))",
        element,
        value,
    )


def text_of(driver: webdriver.Chrome, element: str) -> str:
    return str(driver.execute_script("return document.getElementById(arguments[0]).textContent", element))


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.02)


def open_live(driver: webdriver.Chrome, url: str) -> None:
    """The live view, with a card for each board: what is in them is made when the server has said which there are."""
    driver.get(url)
    wait_for(lambda: bool(driver.find_elements("class name", "board")), "the boards' cards")


def screenshot(driver: webdriver.Chrome, path: Path) -> bytes:
    """The whole page, beyond the window, as PNG."""
    width, height = driver.execute_script(
        "return [document.documentElement.clientWidth, document.documentElement.scrollHeight]"
    )
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    answer = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    content = base64.b64decode(answer["data"])
    path.write_bytes(content)
    return content
