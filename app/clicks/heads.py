"""What the head of a request may say: one kind of POST, and pages for probes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.clicks.events import LARGEST_BODY
from app.clicks.reasons import Reason

PATH = b"/b"
PAGES = frozenset({b"/livez", b"/readyz", b"/metrics"})
LARGEST_HEAD = 8 * 1024
"""Bytes of a request's target, and of the names and values of its headers."""
MOST_HEADERS = 64

CODED: Final = 1
"""Its body comes in chunks, or in another coding."""
EXPECTS: Final = 2
FOREIGN: Final = 4
"""A browser says that another site's page sent it."""
DISAGREES: Final = 8
"""A browser says that its owner does not want to be counted (Global Privacy Control)."""
OLD: Final = 16
"""HTTP/1.0, whose connections end with their first answer."""

_OURS = frozenset({b"same-origin", b"none"})


def mark_of(name: bytes, value: bytes) -> int:
    """Return what a header says of its request, of the marks above; `name` is in lower case."""
    if name == b"transfer-encoding":
        return CODED
    if name == b"expect":
        return EXPECTS
    if name == b"sec-fetch-site":
        return 0 if value.strip().lower() in _OURS else FOREIGN
    return DISAGREES if name == b"sec-gpc" and value.strip() == b"1" else 0


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request.

    Attributes:
        method: its method.
        target: as sent.
        version: of HTTP, such as 1.1.
        upgrades: whether it wants another protocol.
        length: what it says of its body's length (bytes); -1 for nothing.
        size: bytes of target, names and values.
        fields: how many headers there are.
        hosts: how many of them are Host.
        marks: what they say otherwise.
    """

    method: bytes
    target: bytes
    version: str
    upgrades: bool
    length: int
    size: int
    fields: int
    hosts: int
    marks: int


def problem_of(head: Head, path: bytes = PATH) -> Reason | None:
    """Return why a request is refused that is no POST to `path`; of several reasons, the first of this order."""
    posts = head.target == path
    problems = (
        (head.version not in {"1.0", "1.1"} or head.upgrades, Reason.HTTP),
        (head.hosts > 1 or (head.hosts == 0 and head.version != "1.0"), Reason.HTTP),
        (head.size > LARGEST_HEAD or head.fields > MOST_HEADERS, Reason.HEAD),
        (not posts and head.target not in PAGES, Reason.PATH),
        (head.method != (b"POST" if posts else b"GET"), Reason.METHOD),
        (bool(head.marks & CODED) or (posts and head.length < 0), Reason.LENGTH),
        (head.length > LARGEST_BODY, Reason.SIZE),
        (bool(head.marks & EXPECTS), Reason.EXPECTATION),
        (bool(head.marks & FOREIGN), Reason.FOREIGN),
        (bool(head.marks & DISAGREES), Reason.CONSENT),
    )
    return next((reason for is_so, reason in problems if is_so), None)
