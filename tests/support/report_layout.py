# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a page as laid out: measured in the browser, not by eye."""

from __future__ import annotations

from selenium import webdriver

MEASURE = r"""
const clipped = (e) => e && getComputedStyle(e).clipPath === "inset(50%)";
const faults = [], seen = (e) => e.getClientRects().length > 0 && !clipped(e.closest("thead"));
const name = (e) => `${e.tagName} ${e.className.baseVal ?? e.className} "${e.textContent.trim().slice(0, 40)}"`;
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) faults.push(`page is ${root.scrollWidth} wide in ${root.clientWidth}`);
for (const e of document.querySelectorAll(".scroll, table, figure, summary, dd, figcaption"))
  if (seen(e) && e.scrollWidth > e.clientWidth + 1) faults.push(`cut: ${name(e)} ${e.scrollWidth} in ${e.clientWidth}`);
for (const e of document.querySelectorAll("body *"))
  if (seen(e) && !e.closest("thead, svg") && e.getBoundingClientRect().right > innerWidth + 1)
    faults.push(`right of the window: ${name(e)}`);
const inked = (e) => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect(); };
const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1.5 &&
  Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
for (const row of document.querySelectorAll("tr")) {
  const cells = [...row.cells].filter(seen);
  const boxes = cells.map(inked);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++)
    if (overlap(boxes[i], boxes[j])) faults.push(`overlap: ${name(cells[i])} and ${name(cells[j])}`);
}
for (const svg of document.querySelectorAll("svg[role=img], svg[role=group]")) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].filter((e) => e.textContent.trim());
  const boxes = texts.map((e) => e.getBoundingClientRect());
  for (let i = 0; i < boxes.length; i++) {
    if (boxes[i].right > frame.right + 2 || boxes[i].left < frame.left - 2)
      faults.push(`out of ${svg.id}: ${name(texts[i])}`);
    for (let j = i + 1; j < boxes.length; j++)
      if (overlap(boxes[i], boxes[j])) faults.push(`overlap in ${svg.id}: ${name(texts[i])} and ${name(texts[j])}`);
  }
}
const rgb = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
const light = (c) => c.slice(0, 3).map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => { for (let at = e; at; at = at.parentElement) {
  const c = rgb(getComputedStyle(at).backgroundColor); if (c.length && c[3] !== 0) return c;
} return [255, 255, 255]; };
for (const e of document.querySelectorAll("body *")) {
  const words = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!words || !seen(e) || ["SCRIPT", "STYLE", "title"].includes(e.tagName)) continue;
  const style = getComputedStyle(e), ink = rgb(e.closest("svg") ? style.fill : style.color);
  const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${name(e)}`);
}
return faults;
"""


def faults(driver: webdriver.Chrome) -> list[str]:
    """In words: tables and boxes that are wider than their frame, text over text, what leaves the window, and text
    whose contrast with its ground is below 4.5 (WCAG 2.2, 1.4.3)."""
    found: list[str] = driver.execute_script(MEASURE)
    return found
