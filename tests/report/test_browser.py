# SPDX-License-Identifier: Apache-2.0
"""The report in Chromium, as a reader sees it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from support.chromium import NARROW, WIDE, chromium, console, requests, screenshot, set_slider, text_of, wait_for
from support.report_layout import faults


def moving(driver: webdriver.Chrome) -> dict[str, str]:
    """The drawing of each figure that the slider moves."""
    drawings: dict[str, str] = driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('figure[data-moving]')]"
        ".map((figure) => [figure.id, figure.querySelector('svg').outerHTML]))"
    )
    return drawings


def test_the_slider_moves_every_figure_and_nothing_leaves_the_page(finished: Path) -> None:
    page = finished / "report.html"
    with (finished / "trace.csv").open(newline="") as file:
        rows = [{key: float(value) for key, value in line.items()} for line in csv.DictReader(file)]
    with chromium() as driver:
        driver.get(page.as_uri())
        assert console(driver) == []
        assert requests(driver) == [page.as_uri()]
        first = moving(driver)
        assert sorted(first) == sorted(
            ["guess", "predicted", "squares", "descent", "parabola-w", "parabola-b", "path", "rates"]
        )
        assert text_of(driver, "now-step") == "0 of 500"
        assert text_of(driver, "now-rmse") == "13.988"
        set_slider(driver, "step", 25)
        later = moving(driver)
        assert [name for name in first if first[name] == later[name]] == []
        assert text_of(driver, "now-step") == "25 of 500"
        for name in ("w", "b", "rmse"):
            assert text_of(driver, f"now-{name}") == f"{rows[25][name]:.3f}".replace("-", "−")
        # The dot of the descent is where the scales of the drawing put row 25.
        centre = driver.execute_script(
            "const box = document.querySelector('[data-move=\"rmse-dot\"]').getBBox();"
            "const svg = document.getElementById('svg-descent').dataset;"
            "return [box.x + box.width / 2, svg.x, svg.plot]"
        )
        (low, high, _), (left, _, width, _) = (list(map(float, part.split())) for part in centre[1:])
        assert centre[0] == pytest.approx(left + width * (25 - low) / (high - low), abs=0.2)
        set_slider(driver, "step", 500)
        assert [name for name, drawing in moving(driver).items() if later[name] == drawing] == []
        set_slider(driver, "step", 0)
        assert console(driver) == []
        assert requests(driver) == []


def test_without_the_slider_touched_the_script_draws_what_was_written(finished: Path) -> None:
    """What the page shows without script is what the script shows at the first guess."""
    with chromium() as driver:
        driver.get((finished / "report.html").as_uri())
        shapes = "return [...document.querySelectorAll('[data-move]')].map((e) => { const b = e.getBBox();"
        shapes += " return [e.dataset.move, b.x, b.y, b.width, b.height]; })"
        scripted = driver.execute_script(shapes)
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        driver.get((finished / "report.html").as_uri())
        written = driver.execute_script(shapes)
        assert len(written) >= 20
        for ours, theirs in zip(scripted, written, strict=True):
            assert ours[0] == theirs[0]
            assert ours[1:] == pytest.approx(theirs[1:], abs=0.3), ours[0]
        assert driver.execute_script("return getComputedStyle(document.getElementById('player')).display") == "none"
        live = "return [...document.querySelectorAll('[data-live]')].map((e) => e.textContent)"
        assert len(driver.execute_script(live)) == 3


def test_play_and_the_keyboard(finished: Path) -> None:
    with chromium() as driver:
        driver.get((finished / "report.html").as_uri())
        button, slider = driver.find_element("id", "play"), driver.find_element("id", "step")
        button.send_keys(Keys.SPACE)
        wait_for(lambda: int(slider.get_attribute("value") or 0) > 3, "the animation to move")
        assert button.text == "Pause"
        button.send_keys(Keys.SPACE)
        assert button.text == "Play"
        at = int(slider.get_attribute("value") or 0)
        slider.send_keys(Keys.ARROW_RIGHT)
        assert text_of(driver, "now-step") == f"{at + 1} of 500"
        assert f"step {at + 1}," in str(slider.get_attribute("aria-valuetext"))
        slider.send_keys(Keys.END)
        assert text_of(driver, "now-step") == "500 of 500"


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_the_window_in_both_schemes(finished: Path, tmp_path: Path, size: tuple[int, int], dark: bool) -> None:
    with chromium(size, dark=dark) as driver:
        driver.get((finished / "report.html").as_uri())
        width, ground = driver.execute_script(
            "return [document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]"
        )
        assert width <= size[0]
        red, green, blue = (int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(","))
        assert (red + green + blue < 150) == dark
        too_wide = driver.execute_script(
            "return [...document.querySelectorAll('body *')].filter((e) => !e.closest('.scroll, svg') &&"
            " e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + ' ' + e.className)"
        )
        assert too_wide == []
        assert len(screenshot(driver, tmp_path / "page.png")) > 50_000


@pytest.mark.parametrize(
    ("which", "dark"), [("finished", False), ("brought", True), ("brought", False), ("compared", True)]
)
def test_no_column_is_out_of_sight(which: str, dark: bool, request: pytest.FixtureRequest) -> None:
    """At three widths, measured: nothing is wider than its frame, no text lies on another, and all can be read."""
    page = request.getfixturevalue(which) / "report.html"
    with chromium(dark=dark) as driver:
        for width in (1280, 768, 390):
            metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            driver.get(page.as_uri())
            assert console(driver) == []
            assert faults(driver) == [], width
            # A card shows the names of its columns itself, and they are those of the table.
            wrong = driver.execute_script(
                "return [...document.querySelectorAll('td[data-label]')].filter((e) => { let at = 0;"
                " for (const c of e.parentElement.cells) { if (c === e) break; at += c.colSpan; }"
                " return e.closest('table').tHead.rows[0].cells[at].textContent !== e.dataset.label; })"
                ".map((e) => e.outerHTML)"
            )
            assert wrong == []
            bare = "return document.querySelectorAll('.many td:not([data-label])').length"
            assert driver.execute_script(bare) == 0
        # The measure sees text that is too faint, text on text, and a table that is cut.
        driver.execute_script("document.querySelector('h1').style.color = 'var(--ground)'")
        assert any(fault.startswith("contrast") for fault in faults(driver))
        driver.execute_script(
            "const [a, b] = document.querySelectorAll('#svg-flash text');"
            " for (const side of ['x', 'y']) b.setAttribute(side, a.getAttribute(side))"
        )
        assert any(fault.startswith("overlap") for fault in faults(driver))
        driver.execute_script("document.querySelector('table').style.width = '2000px'")
        assert any("cut" in fault or "right of the window" in fault for fault in faults(driver))


def test_it_prints(finished: Path) -> None:
    with chromium() as driver:
        driver.get((finished / "report.html").as_uri())
        printed = driver.execute_cdp_cmd("Page.printToPDF", {})["data"]
        assert len(printed) > 50_000
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert driver.execute_script("return getComputedStyle(document.getElementById('player')).display") == "none"
