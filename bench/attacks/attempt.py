"""One attempt of a stranger: where from, what is asked, how a refusal looks, and who is answered at the same door."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Question = dict[str, Any]
CLIENT, POD, HOST = "a customer's host", "a pod", "root at a site"
"""Of another jurisdiction. Their attempts are those that have to be seen in a log."""
DESK, SITE, PEER, OWN_POD = "the operators' machine", "a host of the pair", "the pair's other site", "a pod of the shop"
"""Where the first line lets in: what is refused there is refused by the program itself."""
STRANGERS = frozenset({CLIENT, POD, HOST})
PORT, CLOSED, TLS, STATUS, DNS, WORDS, SILENT = "port", "closed", "tls", "status", "dns", "words", "silent"
"""How a refusal may look: a port that refuses the connection (which a log has to say, too), a connection that is closed
before anything is said, an alert of TLS, a status of HTTP, a code of DNS, the program's own words, and silence of a
port that answers who belongs there at the same time."""
TLS_HELLO = "16030100"
"""The first bytes of a TLS hello, to ports that speak first to nobody."""
POSTGRES_SSL = "0000000804d2162f"
"""PostgreSQL's request for TLS: a server that is reached answers S or N."""
POSTGRES_CLEAR = "00000022000300007573657200706f73746772657300646174616261736500780000"
"""PostgreSQL's start of a session in clear, as `postgres` in database `x`."""


@dataclass(frozen=True)
class Control:
    """Shows that the door was open to those who belong there when the stranger was refused.

    Attributes:
        place: where from.
        questions: each has to be answered as `says`; a host's name instead of a place is that host.
        says: regular expression that `kind status text` of each answer has to hold.
    """

    place: str
    questions: tuple[Question, ...]
    says: str


@dataclass(frozen=True)
class Attempt:
    """One attempt; it is refused when each of its questions is.

    Attributes:
        story: entry of the review that tells it, or a word of ours.
        what: one line.
        place: where from.
        questions: as `knocking.py` has them.
        by: kinds of refusal that count here; whatever else comes proves nothing.
        statuses: of HTTP (or codes of DNS, or of a program) that are refusals.
        words: regular expression that a refusal in words holds.
        harmless: regular expression of an answer without refusal that gives nothing away.
        opens: texts that would mean success, whatever else is in the answer.
        most: connections that may be held, of those that say nothing.
        ports: that customers may reach, of a scan.
        control: who is answered at the same door; None where nobody is, and `alone` says why.
        alone: why there is no control.
        trace: text that a log's new line about it has, where not the attacker's address.
    """

    story: str
    what: str
    place: str
    questions: tuple[Question, ...]
    by: frozenset[str]
    statuses: tuple[int, ...] = (401, 403)
    words: str = ""
    harmless: str = ""
    opens: tuple[str, ...] = ()
    most: int = 0
    ports: frozenset[int] = frozenset()
    control: Control | None = None
    alone: str = ""
    trace: str = ""


def attempt(story: str, what: str, place: str, questions: Sequence[Question], *by: str, **more: Any) -> Attempt:
    """Make an attempt; `by` are the kinds of refusal that count."""
    return Attempt(story, what, place, tuple(questions), frozenset(by), **more)


def tcp(host: object, port: int, send: str = "") -> Question:
    """Bytes to a port; whatever comes back is an answer."""
    return {"tcp": [str(host), port], "send": send}


def get(url: str, **more: Any) -> Question:
    """A question over HTTP; `at`, `headers`, `certificate`, `method` as far as wanted."""
    return {"url": url, **more}


def post(url: str, body: Any, **more: Any) -> Question:
    """A POST with a JSON body."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {"url": url, "method": "POST", "body": text, "headers": {"Content-Type": "application/json"}, **more}


def reaches(place: str, *questions: Question, says: str = r"^(http|bytes|closed|tls|reset) ") -> Control:
    """Return the control that ports take connections from a place."""
    return Control(place, tuple(questions), says)
