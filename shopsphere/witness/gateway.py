"""etcd's JSON gateway at each voter of a pair: requests that are bounded in time and tried at every voter.

With an identity every connection is TLS with a client certificate, and each request carries a token that all voters
accept and that ends after an hour.
Source: etcd 3.6, https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ .
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from shopsphere.foundation.bounded_http import read_whole, within
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.trust import is_tls_failure
from shopsphere.witness.identity import Identity, WitnessKeysError
from shopsphere.witness.order import VoterOrder
from shopsphere.witness.said import ENDS, message, says, shown_until, why
from shopsphere.witness.session import Session, Sessions

VOTER_SECONDS = 1.5
"""Bound on one voter's answer (s): the longest way to a voter and two round trips among voters take 0.7 s."""

_STREAM_SECONDS = 240.0
_LARGEST = 4 * 2**20
"""Bytes of an answer: figures of a voter take a tenth of a MiB, keys less."""
_HEADERS = 2**17
_NOT_ENABLED = "etcdserver: authentication is not enabled"
_REFUSED_TOKENS = frozenset(
    {
        "etcdserver: user name is empty",
        "etcdserver: invalid auth token",
        "etcdserver: revision of auth store is old",
    }
)
"""What a voter says to a token that has ended, or that is older than a change of users: ask for a new one."""


class WitnessUnreachableError(NoAnswerError):
    """No voter with a quorum behind it answered: nothing is known, and nothing may be concluded."""


class UnreadableWitnessError(NoAnswerError):
    """The witness answers, but what it says cannot be read: nothing may be concluded, also not that it is lost."""

    @classmethod
    def because(cls, what: str, error: Exception) -> ShopSphereError:
        """Compose the message: `what` cannot be read, because of `error`."""
        return cls.build(
            f"{what} cannot be read",
            expected="what this version of shopsphere writes",
            found=f"{type(error).__name__}: {one_line(error)[:200]}",
            action="find out who wrote it: another version of shopsphere, another program, or a stranger at the port",
        )


class WitnessRefusedError(NoAnswerError):
    """The witness answers, but not to this user: nothing is known of the pair, also not that its witness is lost."""


class WitnessTlsError(WitnessRefusedError):
    """Voters answer, but they and this machine do not believe each other's certificates."""


NOT_HEARD = (WitnessUnreachableError, WitnessRefusedError, WitnessKeysError)
"""What keeps somebody from hearing the witness who goes on without it."""


class Gateway:
    """The voters of one witness; safe to share between threads.

    Args:
        urls: client addresses of the voters.
        identity: who asks; None where the voters take anybody, as the etcd of a cluster does on its own host.
        seconds: bound on each voter's answer.
        transport: replaceable in tests.
        clock: replaceable in tests.

    Attributes:
        order: in which the voters are asked.
    """

    def __init__(
        self,
        urls: Sequence[str],
        identity: Identity | None = None,
        *,
        seconds: float = VOTER_SECONDS,
        transport: httpx.BaseTransport | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.order = VoterOrder(urls, clock)
        self._identity, self._seconds, self._clock = identity, seconds, clock
        self._sessions = Sessions(identity, seconds=seconds, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._sessions.close()

    def call(self, path: str, body: Mapping[str, Any], *, accept: int = 0) -> dict[str, Any]:
        """Ask the voters one after the other until one answers, for as long as all may take together.

        Args:
            path: of the request.
            body: of the request.
            accept: gRPC's number of an error that is an answer.

        Raises:
            WitnessKeysError: this machine has no keys that could be shown.
            WitnessRefusedError: this user may not do it.
            WitnessTlsError: most voters answer, but not to this machine: nobody knows whether they have a quorum.
            WitnessUnreachableError: none did; what each said is in the message.
        """
        problems, refused, asked = [], 0, self.order.in_order()
        until = self._clock.monotonic() + self._seconds * len(asked)
        for place, url in enumerate(asked):
            try:
                response = self.post(url, path, body, until=until)
                answer: object = response.json()
            except (httpx.HTTPError, ValueError, UnreadableWitnessError) as error:
                problems.append(f"{url}: {why(error)}")
                refused += isinstance(error, UnreadableWitnessError) or is_tls_failure(error)
                continue
            if not isinstance(answer, dict):
                problems.append(f"{url}: no voter's answer")
                continue
            if response.is_success or (accept and answer.get("code") == accept):
                self.order.did_not_answer(asked[:place], instead=url)
                return answer
            if response.status_code == httpx.codes.FORBIDDEN:
                raise self._refused(path, answer)
            problems.append(f"{url}: {message(answer) or response.status_code}")
        problems[:0] = filter(None, [self._identity.ended() if self._identity else ""])
        if refused * 2 > len(asked):
            raise WitnessTlsError.build(
                "the voters of the witness answer, but not to this machine",
                expected="certificates of the witness's authority at both ends, not ended",
                found="; ".join(problems),
                action="`shopsphere witness show` says when they end; `witness keys` renews them, also when they have "
                "ended (docs/witness.md, “What ended”)",
            )
        raise WitnessUnreachableError.build(
            "the witness has no quorum that answers",
            expected=f"an answer from one of {len(asked)} voters with a majority behind it",
            found="; ".join(problems),
            action="check the voters and the network path to them; nothing is decided without them",
        )

    def post(
        self, url: str, path: str, body: Mapping[str, Any], *, seconds: float | None = None, until: float = math.inf
    ) -> httpx.Response:
        """Ask one voter.

        Args:
            url: which.
            path: of the request.
            body: of the request.
            seconds: a bound of its own; else the one of all. Getting a token first may take as long again.
            until: monotonic time at which it is too late.

        Raises:
            UnreadableWitnessError: it gave something else than a token.
            WitnessKeysError: there are no keys.
            WitnessRefusedError: the password is not the user's.
            httpx.HTTPError: it does not answer.
        """
        session, bound = self._sessions.current(), self._seconds if seconds is None else seconds
        until = min(until, self._clock.monotonic() + self._seconds + bound)
        if refused := self._sign_in(session, url, until):
            return refused
        used = session.token
        response = self._ask(session, url + path, body, used, min(bound, self._left(until)))
        if self._identity and says(response) in _REFUSED_TOKENS:
            if refused := self._sign_in(session, url, until, instead_of=used):
                return refused
            response = self._ask(session, url + path, body, session.token, min(bound, self._left(until)))
        return response

    def get(self, url: str, path: str) -> httpx.Response:
        """Read a page of one voter; raises as `post` does."""
        return self._ask(self._sessions.current(), url + path, None, None, self._seconds)

    @contextmanager
    def stream(self, url: str, path: str, body: Mapping[str, Any]) -> Iterator[httpx.Response]:
        """Open a stream at one voter that may say nothing for 240 s; raises httpx.HTTPError when it ends."""
        session = self._sessions.current()
        self._sign_in(session, url, math.inf)
        waits = httpx.Timeout(self._seconds, read=_STREAM_SECONDS)
        headers = _headers(session.token)
        with session.streams.stream("POST", url + path, json=body, timeout=waits, headers=headers) as response:
            yield response

    def forget_token(self) -> None:
        """Ask for a new token before the next request."""
        self._sessions.forget_token()

    def _left(self, until: float) -> float:
        return until - self._clock.monotonic()

    def _ask(
        self, session: Session, url: str, body: Mapping[str, Any] | None, token: str | None, seconds: float
    ) -> httpx.Response:
        """Send a request and read its answer whole; one that trickles in, or has no end, is none."""
        if seconds <= 0:
            raise httpx.ReadTimeout("no time is left")
        method, headers = "GET" if body is None else "POST", {**_headers(token), "Accept-Encoding": "identity"}
        until = self._clock.monotonic() + seconds
        with (
            within(seconds, _LARGEST + _HEADERS, self._clock),
            session.client.stream(method, url, json=body, headers=headers, timeout=seconds) as response,
        ):
            content = read_whole(response, _LARGEST, until, self._clock)
            shown = {ENDS: shown_until(response)}
        return httpx.Response(response.status_code, content=content, request=response.request, extensions=shown)

    def _sign_in(
        self, session: Session, url: str, until: float, *, instead_of: str | None = None
    ) -> httpx.Response | None:
        """Get a token from a voter where one is needed. Threads may do so at once: one that hangs keeps no other.

        Returns:
            None, or the answer of a voter that gave none.

        Raises:
            UnreadableWitnessError: it gave something else than a token.
            WitnessRefusedError: the password is not the user's.
        """
        if self._identity is None or session.token != instead_of:
            return None  # none is wanted, there is one, or another thread was faster
        credentials = {"name": self._identity.user, "password": session.password}
        seconds = min(self._seconds, self._left(until))
        response = self._ask(session, f"{url}/v3/auth/authenticate", credentials, None, seconds)
        if response.is_success:
            session.token = _token_in(response, url)
        elif says(response) == _NOT_ENABLED:
            session.token = ""
        elif "authentication failed" in says(response):
            raise WitnessRefusedError.build(
                f"the witness does not know {self._identity.user} by this password",
                expected=f"the password in {self._identity.files[-1]}",
                found=f"{url}: {says(response)}",
                action="copy it anew from where the witness's keys are kept, or set what is there: "
                "`shopsphere witness secure`",
            )
        else:
            return response
        return None

    def _refused(self, path: str, answer: Mapping[str, Any]) -> ShopSphereError:
        user = self._identity.user if self._identity else "nobody in particular"
        return WitnessRefusedError.build(
            f"the witness does not let {user} do this",
            expected=f"a user whose role permits {path}",
            found=message(answer) or "refused",
            action="use the keys of an operator, or `shopsphere witness secure` if roles were never set",
        )


def _headers(token: str | None) -> dict[str, str]:
    return {"Authorization": token} if token else {}


def _token_in(response: httpx.Response, url: str) -> str:
    try:
        return str(response.json()["token"])
    except (ValueError, LookupError, TypeError) as error:
        raise UnreadableWitnessError.because(f"{url}: the token", error) from error
