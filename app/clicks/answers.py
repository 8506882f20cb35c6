"""Whole answers, as bytes: the few that there are, made once a second with its date."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus

from app.clicks.reasons import STATUS, Reason

_CLOSE = "connection: close\r\n"


class Answers:
    """The answers of one second.

    Attributes:
        taken: 204 for a batch that the brokers have.
        taken_last: the same, as the last answer of its connection.
    """

    taken: bytes
    taken_last: bytes

    def __init__(self, now: float) -> None:
        self.renew(now)

    def renew(self, now: float) -> None:
        """Make them anew, for a moment (s since 1970)."""
        self._date = formatdate(now, usegmt=True)
        self.taken = self._whole(HTTPStatus.NO_CONTENT, "", last=False)
        self.taken_last = self._whole(HTTPStatus.NO_CONTENT, "", last=True)
        self._refused = {
            (reason, last): self._whole(status, f"{reason}\n", last=last, more=_more(reason))
            for reason, status in STATUS.items()
            if status != HTTPStatus.SERVICE_UNAVAILABLE
            for last in (False, True)
        }

    def refused(self, reason: Reason, *, last: bool, retry_after: int) -> bytes:
        """Return the answer for a reason.

        Args:
            reason: why.
            last: whether it is the last answer of its connection.
            retry_after: seconds until it may be tried again, if that helps.
        """
        made = self._refused.get((reason, last))
        if made is not None:
            return made
        return self._whole(STATUS[reason], f"{reason}\n", last=last, more=f"retry-after: {retry_after}\r\n")

    def page(self, status: HTTPStatus, text: str, media_type: str, *, last: bool) -> bytes:
        """Return a page of text, for probes and figures."""
        return self._whole(status, text, last=last, media_type=media_type)

    def _whole(
        self, status: HTTPStatus, text: str, *, last: bool, more: str = "", media_type: str = "text/plain"
    ) -> bytes:
        body = text.encode()
        about = "" if status == HTTPStatus.NO_CONTENT else (
            f"content-type: {media_type}\r\nx-content-type-options: nosniff\r\ncontent-length: {len(body)}\r\n"
        )  # fmt: skip
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\ndate: {self._date}\r\n{about}{more}{_CLOSE if last else ''}"
        return f"{head}\r\n".encode() + body


def _more(reason: Reason) -> str:
    return "allow: POST\r\n" if reason is Reason.METHOD else ""
