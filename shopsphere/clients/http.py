"""One HTTP service: requests with a bound, known by a certificate or a key, and errors that name the service."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from shopsphere.clients.edge_errors import CredentialError, ServiceError, UnknownOutcomeError
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.trust import is_refusal, usual_trust

ANSWER_SECONDS = 10.0
"""Bound on one request (s), for callers that are in no hurry."""
_RENEW = (
    "`shopsphere doctor edge` says when they end; `shopsphere edge-door keys` renews them, also when they have ended "
    "(docs/edge.md)"
)
_BELIEVE = "correct its address in the stack's configuration, or see to its certificate and this machine's clock"
_TRIES = 6
_PAUSE_SECONDS = 0.15


def read_key(key_file: str) -> str:
    """Return the key in a file; `~` and environment variables in the path are resolved here, at the time of use.

    Raises:
        CredentialError: there is no such file, or nothing in it.
    """
    file = Path(os.path.expandvars(key_file)).expanduser()
    try:
        key = file.read_text().strip()
    except OSError as error:
        raise CredentialError.build(
            f"no key in {key_file!r}",
            expected="a readable file with the service's key",
            found=error.strerror or str(error),
            action="correct the path in the stack's configuration, or put the key there",
        ) from error
    if not key:
        raise CredentialError.build(
            f"no key in {key_file!r}", expected="a key", found="an empty file", action="put the service's key there"
        )
    return key


@dataclass(frozen=True)
class HttpService:
    """A service that answers at `url`; every request made through it may be repeated without harm.

    Attributes:
        name: how errors call it.
        url: without a slash at the end.
        headers: sent with each request.
        seconds: bound on the answer to one request.
        trust: whose certificates count, and which is our own; the usual authorities where none is given.
    """

    name: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = ANSWER_SECONDS
    trust: ssl.SSLContext | None = None

    def request(
        self, method: str, path: str, *, body: Any = None, query: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send one request; answers other than 2xx and 404 are errors.

        Raises:
            ServiceError: no answer, or a refusal, with the service's own words.
            UnknownOutcomeError: a change was sent, and nobody knows whether it was made.
        """
        for attempt in range(1, _TRIES + 1):
            answer = self._once(method, path, body, query)
            # A store that someone else is writing to says 500; it is free again a moment later.
            # What stands before a service that is away says 504, and would go on to.
            if not answer.is_server_error or answer.status_code == HTTPStatus.GATEWAY_TIMEOUT or attempt == _TRIES:
                break
            SYSTEM_CLOCK.sleep(_PAUSE_SECONDS * attempt)
        if not answer.is_success and answer.status_code != HTTPStatus.NOT_FOUND:
            is_open = method != "GET" and answer.status_code == HTTPStatus.GATEWAY_TIMEOUT
            raise (UnknownOutcomeError if is_open else ServiceError).build(
                f"{self.name} {'did not answer to' if is_open else 'refused'} {method} {path}",
                expected="2xx",
                found=f"{answer.status_code} {answer.text.strip()[:2000]}",
                action="read its own words above; 401 and 403 mean that who asks is not known, or may not do this",
            )
        return answer

    def _once(self, method: str, path: str, body: Any, query: dict[str, str] | None) -> httpx.Response:
        try:
            return httpx.request(
                method,
                self.url + path,
                json=body,
                params=query,
                headers=self.headers,
                timeout=self.seconds,
                verify=self.trust or usual_trust(),
                trust_env=False,
            )
        except httpx.HTTPError as error:
            if is_refusal(error):  # nothing was read of what was sent
                raise ServiceError.build(
                    f"{self.name} and this machine do not believe each other's certificates",
                    expected="certificates of one authority at both ends, not ended",
                    found=f"{type(error).__name__}: {error}",
                    action=_RENEW if self.trust else _BELIEVE,
                ) from error
            is_open = method != "GET" and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise (UnknownOutcomeError if is_open else ServiceError).build(
                f"{self.name} does not answer",
                expected=f"an answer from {self.url} within {self.seconds:g} s",
                found=f"{type(error).__name__}: {error}",
                action="bring it back, or correct its address in the stack's configuration; so it also refuses a "
                "certificate that it does not know",
            ) from error
