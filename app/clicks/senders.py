"""Who sends a batch, by what its browser says of itself: a class that stays with the batch, never a reason to drop it.

Reports need both: people's figures without programs, and how many programs there were. Programs that call themselves a
browser are not found here.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Sender(StrEnum):
    """A class of senders."""

    PERSON = "person"
    CRAWLER = "crawler"
    """Reads pages for somebody else: search engines, previews of links, archives."""
    PROGRAM = "program"
    """A browser that is driven by a program, a library, or a probe."""
    UNKNOWN = "unknown"
    """Says nothing, which no browser does."""


LONGEST = 256
"""Bytes of a name that are looked at."""
_CRAWLER = re.compile(  # Cubot makes telephones
    rb"(?<!cu)bot\b|crawl|spider|slurp|archiver|facebookexternalhit|mediapartners|preview|feedfetcher|"
    rb"google-inspectiontool|lighthouse|ia_archiver",
    re.IGNORECASE,
)
_PROGRAM = re.compile(
    rb"\b(?:headless|phantomjs|selenium|webdriver|puppeteer|playwright|curl|wget|python|aiohttp|httpx|okhttp|java/|go-http|"
    rb"node\b|axios|libwww|perl|ruby|php|postman|insomnia|monitor|uptime|pingdom|statuscake|synthetic|probe|scrapy|"
    rb"apache-httpclient)",
    re.IGNORECASE,
)
_BROWSER = re.compile(rb"\AMozilla/5\.0 \(")
"""How every browser of today begins."""


@lru_cache(maxsize=4096)
def sender_of(name: bytes) -> Sender:
    """Return the class of a User-Agent header, of which the caller gives at most LONGEST bytes."""
    if not name:
        return Sender.UNKNOWN
    if _CRAWLER.search(name):
        return Sender.CRAWLER
    if _PROGRAM.search(name) or not _BROWSER.match(name):
        return Sender.PROGRAM
    return Sender.PERSON
