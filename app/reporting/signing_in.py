"""Staff sign in with name and password; what a browser is signed in with ends after 8 hours, or when they sign out.

It is a cookie that says who and until when, signed together with the person's stored hash: whose line is taken out of
the staff file, or gets another password, is signed out when the process has read the file again. A form of another
site comes without the cookie (SameSite=Strict), and every form has to say that it comes from here (Origin).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from litestar.datastructures import Cookie

COOKIE = "__Host-report"
HOURS = 8
_SEPARATOR = "~"
"""In no name, no number and no digest."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in.

    Attributes:
        identity: random; tells two of one person's apart.
        until: when it ends (s since 1970).
    """

    name: str
    identity: str
    until: int


class Sessions:
    """Makes, reads and ends what browsers are signed in with.

    Args:
        staff: hashes of passwords by names.
        secret: signs.
        other: the one before or after it, whose signatures count as well; empty for none.
        clock: seconds since 1970.
    """

    def __init__(
        self, staff: Mapping[str, str], secret: str, other: str = "", clock: Callable[[], float] = time.time
    ) -> None:
        self._staff = staff
        self._secrets = [each.encode() for each in (secret, other) if each]
        self._clock = clock
        self._ended: dict[str, int] = {}

    def begin(self, name: str) -> Cookie:
        """Return the cookie of somebody whose password was right."""
        session = Session(name, secrets.token_hex(16), int(self._clock()) + HOURS * 3600)
        return _cookie(_SEPARATOR.join((*_told(session), self._sign(self._secrets[0], session))), HOURS * 3600)

    def find(self, cookies: Mapping[str, str]) -> Session | None:
        """Return who sends a cookie that we signed, that is not over, and that nobody has ended."""
        parts = cookies.get(COOKIE, "").split(_SEPARATOR)
        if len(parts) != 4 or parts[0] not in self._staff or not _is_moment(parts[2]):  # noqa: PLR2004 told and signature
            return None
        session = Session(parts[0], parts[1], int(parts[2]))
        signatures = (self._sign(secret, session).encode() for secret in self._secrets)
        is_ours = any(hmac.compare_digest(parts[3].encode(), each) for each in signatures)
        is_over = session.until <= self._clock() or session.identity in self._ended
        return session if is_ours and not is_over else None

    def end(self, session: Session) -> Cookie:
        """End what somebody is signed in with, in this process; return the cookie that takes it from the browser.

        What has ended is remembered for as long as its signature would count, so no longer than HOURS.
        """
        now = self._clock()
        self._ended = {identity: until for identity, until in self._ended.items() if until > now}
        self._ended[session.identity] = session.until
        return _cookie("", 0)

    def _sign(self, secret: bytes, session: Session) -> str:
        text = _SEPARATOR.join(("staff", *_told(session), self._staff[session.name]))
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _told(session: Session) -> tuple[str, str, str]:
    return session.name, session.identity, str(session.until)


def _is_moment(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12  # noqa: PLR2004 seconds until the year 33658


def _cookie(value: str, seconds: int) -> Cookie:
    return Cookie(key=COOKIE, value=value, path="/", httponly=True, secure=True, samesite="strict", max_age=seconds)
