"""The session cookie: a random session id, signed, so that a made-up id costs no query."""

from __future__ import annotations

import base64
import hashlib
import hmac
from uuid import UUID

from litestar.datastructures import Cookie


class SessionCookie:
    """Signs and reads the session cookie.

    Args:
        secret: shared by all pods of a region; it signs.
        other: the one before it or the one after it, whose cookies are read as well; empty for none.
        days: how long a browser keeps it after the last use.
        secure: with https the cookie has the `__Host-` prefix: this host only, this site only, never over http.
    """

    def __init__(self, secret: str, days: int, *, secure: bool, other: str = "") -> None:
        self._secret, self._other = secret.encode(), other.encode()
        self._seconds = days * 86_400
        self._secure = secure
        self.name = "__Host-session" if secure else "session"

    def read(self, cookies: dict[str, str]) -> UUID | None:
        """Return the session id of a cookie that we signed, else None."""
        name, _, signature = cookies.get(self.name, "").partition(".")
        try:
            session = UUID(hex=name)
        except ValueError:
            return None
        signed_by = (secret for secret in (self._secret, self._other) if secret)
        known = any(hmac.compare_digest(signature.encode(), _sign(secret, session).encode()) for secret in signed_by)
        return session if known else None

    def write(self, session: UUID) -> Cookie:
        """Return the cookie to set for a session."""
        return Cookie(
            key=self.name,
            value=f"{session.hex}.{_sign(self._secret, session)}",
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._secure,
            max_age=self._seconds,
        )

    def remove(self) -> Cookie:
        """Return the cookie to set when there is no session any more."""
        return Cookie(key=self.name, value="", path="/", httponly=True, samesite="lax", secure=self._secure, max_age=0)


def _sign(secret: bytes, session: UUID) -> str:
    digest = hmac.new(secret, b"session:" + session.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
