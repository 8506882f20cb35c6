"""What every page carries: checked files, landmarks, sizes that follow the reader, no control that acts by itself."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import httpx
import pytest
from present import matched
from running_shop import Shop
from shopper import Shopper

from shopsphere.foundation.paths import REPOSITORY

PAGES = [
    "/",
    "/categories/hoodies",
    "/search?q=moon",
    "/products/tidal-rings-tee",
    "/cart",
    "/account/sign-in",
    "/nowhere",
]
GUARDED = re.compile(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"([^>]*)>')

LOADED = re.compile(r"<script\b|<link[^>]*\bstylesheet\b", re.IGNORECASE)
"""Whatever a browser would run or apply, in any spelling."""
OWN_STYLE = "<style>{{ style }}</style>"
"""Of headquarters' pages, whose policy names the bytes of this one sheet (tests/app/test_app_report.py)."""


@pytest.mark.requirement("every script and style sheet of every page names its bytes")
@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "app").rglob("*.html")), ids=lambda file: f"{file.parts[-3]}-{file.name}"
)
def test_no_template_loads_what_it_does_not_name(file: Path) -> None:
    text = file.read_text()
    tags = [text[found.start() : text.index(">", found.start())] for found in LOADED.finditer(text)]
    assert all('integrity="{{ integrity(' in tag and 'crossorigin="anonymous"' in tag for tag in tags)
    text = text.replace(OWN_STYLE, "")
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|@import|javascript:", text, re.IGNORECASE)


@pytest.mark.requirement("what the public CDN delivers is checked by the browser")
@pytest.mark.parametrize("path", PAGES)
def test_scripts_and_style_sheets_name_their_bytes(shopper: Shopper, path: str) -> None:
    page = shopper.http.get(path)
    assert page.headers["integrity-policy"] == "blocked-destinations=(script)"
    guarded = GUARDED.findall(page.text)
    assert len(guarded) == len(LOADED.findall(page.text))
    assert {address.rpartition(".")[2] for address, _ in guarded} == {"js", "css"}
    for address, attributes in guarded:
        answer = httpx.get(address, trust_env=False)
        assert answer.headers["access-control-allow-origin"] == "*"
        digest = base64.b64encode(hashlib.sha384(answer.content).digest()).decode()
        assert f'integrity="sha384-{digest}"' in attributes
        assert 'crossorigin="anonymous"' in attributes


@pytest.mark.requirement("the CDN's cache cannot be filled with made-up names")
def test_a_made_up_digest_is_not_there(shopper: Shopper) -> None:
    address = matched(GUARDED, shopper.get("/").text)[1]
    made_up = re.sub(r"\.[0-9a-f]{12}\.", ".0123456789ab.", address)
    for path in (made_up, re.sub(r"\.[0-9a-f]{12}\.", ".", address)):
        answer = httpx.get(path, trust_env=False)
        assert (answer.status_code, answer.headers["cache-control"]) == (404, "private, no-store")


@pytest.mark.requirement("no control submits while keys move in it")
@pytest.mark.parametrize("path", ["/categories/hoodies", "/products/tidal-rings-tee", "/cart"])
def test_only_buttons_send_forms(shop: Shop, shopper: Shopper, path: str) -> None:
    shopper.add()
    page = shopper.get(path).text
    assert "data-submit" not in page
    script = httpx.get(matched(r'<script src="([^"]+)"', page)[1], trust_env=False).text
    assert not re.search(r"requestSubmit|\.submit\(", script)
    style = httpx.get(matched(r'rel="stylesheet" href="([^"]+)"', page)[1], trust_env=False).text
    assert not re.search(r"\.scripted[^{]*\{[^}]*display:none", style)
    for form in re.findall(r'<form(?![^>]*class="find").*?</form>', page, re.DOTALL):
        assert re.search(r"<button[^>]*type=\"submit\"", form)


@pytest.mark.requirement("the reader's font size is honoured")
def test_no_font_size_is_fixed(shopper: Shopper) -> None:
    style = httpx.get(matched(r'rel="stylesheet" href="([^"]+)"', shopper.get("/").text)[1], trust_env=False).text
    assert re.findall(r"font(?:-size)?:[^;}]*?\b\d+px[^;}]*", style) == []
    assert re.findall(r"@media \((?:min|max)-width:[\d.]+px\)", style) == []


@pytest.mark.requirement("all categories can be reached from every page, also on a phone and without a script")
@pytest.mark.parametrize("path", PAGES)
def test_categories_are_lists_in_a_menu_and_in_a_row(shopper: Shopper, path: str) -> None:
    page = shopper.http.get(path).text
    menu = matched(r'<details class="menu">.*?</details>', page, re.DOTALL).group()
    assert len(re.findall(r'href="/categories/', menu)) == 20
    assert 'role="presentation"' not in page
    lists = re.findall(r"<ul[^>]*>(.*?)</ul>", page, re.DOTALL)
    assert all(re.sub(r"<li\b.*?</li>", "", inner, flags=re.DOTALL).strip() == "" for inner in lists)


@pytest.mark.requirement("everything on a page is in a landmark")
def test_the_ribbon_is_in_the_header(shopper: Shopper) -> None:
    page = shopper.get("/").text
    assert re.search(r"<header>\s*<p class=\"ribbon\">", page)
