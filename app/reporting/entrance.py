"""The door before every page: forms from elsewhere are refused, who is not signed in gets the form and nothing else.

Tries are limited by name, and hashes by process (app/customers/hashing.py). A name that nobody has costs as much as a
wrong password, and is answered alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import litestar
from litestar import Response, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.response import Redirect

from app.customers.backoff import account_key
from app.customers.hashing import RETRY_SECONDS, Hashing, HashingFullError
from app.customers.passwords import NOBODY, is_password
from app.reporting.signing_in import Sessions
from app.reporting.templating import Pages
from app.web.allowance import Allowance
from app.web.clients import client_network
from app.web.requests import Request
from app.web.security_log import SecurityLog

SIGN_IN = "/sign-in"
OPEN = frozenset({"/livez", "/readyz", "/metrics", SIGN_IN})
"""What is answered to everybody."""
TRIES_AT_ONCE, TRY_EVERY_SECONDS = 5, 30.0
"""Of one name, right and wrong ones: 2,880 guesses a day."""
LONGEST_NAME = 64
_READING = frozenset({"GET", "HEAD"})


@dataclass
class Counted:
    """How tries to sign in ended, since this process began."""

    signed_in: int = 0
    refused: int = 0
    had_to_wait: int = 0


@dataclass
class Entrance:
    """What stands before the pages.

    Attributes:
        origin: of our own forms, as browsers write it.
        secret: keys what stands for names and networks in the security log.
    """

    staff: Mapping[str, str]
    sessions: Sessions
    pages: Pages
    origin: str
    secret: str
    hashing: Hashing = field(default_factory=Hashing)
    tries: Allowance = field(default_factory=lambda: Allowance(TRIES_AT_ONCE, TRY_EVERY_SECONDS))
    counted: Counted = field(default_factory=Counted)

    def __post_init__(self) -> None:
        """Open the log."""
        self._log = SecurityLog(self.secret)

    def guard(self, request: litestar.Request[Any, Any, Any]) -> Response[Any] | None:
        """Look at a request before its handler: return the way to the form, or None and let it through.

        Raises:
            PermissionDeniedException: it is a form that does not say that it comes from here.
        """
        is_ours = request.headers.get("origin") == self.origin
        if request.method not in _READING and not (
            is_ours and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        ):
            raise PermissionDeniedException("this form was sent from another site")
        if request.url.path in OPEN:
            return None
        session = self.sessions.find(request.cookies)
        if session is None:
            return Redirect(SIGN_IN, status_code=303)
        request.state["session"], request.state["staff"] = session, session.name
        return None

    async def enter(self, request: Request, name: str, password: str) -> Response[Any]:
        """Answer a try to sign in."""
        wait: float = RETRY_SECONDS
        try:
            with self.hashing.place():
                wait = self.tries.take(name)
                if wait <= 0:
                    fits = await self.hashing.run(is_password, password, self.staff.get(name, NOBODY))
                    return self._judge(request, name, fits=fits)
        except HashingFullError:
            pass
        self.counted.had_to_wait += 1
        self._note(request, name, "has to wait")
        seconds = math.ceil(wait)
        problem = f"That was too often. Please wait for {seconds} s, then try again."
        return self.form(problem, name, status=429, headers={"retry-after": str(seconds)})

    def form(
        self, problem: str = "", name: str = "", *, status: int = 200, headers: dict[str, str] | None = None
    ) -> Response[str]:
        """Return the form, with what was wrong and the name that was typed."""
        return self.pages.page("sign_in.html", status=status, headers=headers, problem=problem, typed=name)

    def _judge(self, request: Request, name: str, *, fits: bool) -> Response[Any]:
        if not fits or name not in self.staff:
            self.counted.refused += 1
            self._note(request, name, "refused")
            return self.form("That did not match. Check name and password, and try again.", name, status=401)
        self.counted.signed_in += 1
        self._note(request, name, "signed in")
        answer = Redirect("/", status_code=303)
        answer.set_cookie(self.sessions.begin(name))
        return answer

    def _note(self, request: Request, name: str, outcome: str) -> None:
        account = account_key(self.secret, name)
        self._log.note("staff sign-in", outcome, network=client_network(request), account=account)


def entrance_routes(entrance: Entrance) -> list[Any]:
    """Return the form, what takes it, and the way out."""

    @get(SIGN_IN, sync_to_thread=False)
    def form() -> Response[str]:
        return entrance.form()

    @post(SIGN_IN)
    async def sign_in(request: Request) -> Response[Any]:
        fields = await request.form()
        name = str(fields.get("name", "")).strip().lower()[:LONGEST_NAME]
        return await entrance.enter(request, name, str(fields.get("password", "")))

    @post("/sign-out", sync_to_thread=False)
    def sign_out(request: Request) -> Response[Any]:
        answer = Redirect(SIGN_IN, status_code=303)
        answer.set_cookie(entrance.sessions.end(request.state["session"]))
        return answer

    return [form, sign_in, sign_out]
