# SPDX-License-Identifier: Apache-2.0
"""What the pages name is there: files, folders, links between pages, and the verbs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyproof.cli.main import VERBS
from tinyproof.core.paths import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"), ROOT / "CHANGELOG.md"])
FOLDERS = "api|cli|core|docs|export|firmware|host|prove|report|tests|train"
PLACE = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*)")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")  # to another page, not to the web
VERB = re.compile(r"\./tinyproof ([a-z]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # NAME stands for what the reader chooses: such a place is a folder that must be there.
    places = {match.split("NAME")[0].rstrip(".") for match in PLACE.findall(text)}
    links = {(page.parent / link).resolve() for link in LINK.findall(text)}
    named = links | {ROOT / place for place in places}
    assert [str(path.relative_to(ROOT)) for path in sorted(named) if not path.exists()] == []
    assert sorted(set(VERB.findall(text)) - set(VERBS)) == []


def test_the_readme_leads_to_every_page() -> None:
    """Each page is linked from another one that a reader comes to."""
    linked = {(page.parent / link).resolve() for page in PAGES for link in LINK.findall(page.read_text("utf-8"))}
    assert [page.name for page in PAGES if page.name != "README.md" and page not in linked] == []
