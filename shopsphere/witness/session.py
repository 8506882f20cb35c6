"""Connections to the voters of a witness, opened with the files of an identity, and anew when these are replaced."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import httpx

from shopsphere.foundation.bounded_http import BoundedTransport
from shopsphere.foundation.keep_alive import KEPT_ALIVE
from shopsphere.foundation.trust import usual_trust
from shopsphere.witness.identity import Identity, WitnessKeysError

_IDLE_SECONDS = 20.0
"""How long a connection is kept for the next request: a new one costs two round trips more, with TLS."""


@dataclass
class Session:
    """Connections that one set of files opens, with the password that came with them.

    Attributes:
        client: for questions.
        streams: for watches.
        stamp: of the files.
        password: of the user; empty where nobody in particular asks.
        token: that a voter gave for it; empty: none is wanted.
    """

    client: httpx.Client
    streams: httpx.Client
    stamp: tuple[int, ...] = ()
    password: str = ""
    token: str | None = None


class Sessions:
    """The session of one who asks; safe to share between threads.

    It is opened when it is needed first: a process may start before its keys are there, and say what is missing.

    Args:
        identity: who asks; None for nobody in particular.
        seconds: bound on connecting, sending and receiving, each.
        transport: replaceable in tests.
    """

    def __init__(self, identity: Identity | None, *, seconds: float, transport: httpx.BaseTransport | None) -> None:
        self._identity, self._seconds, self._transport = identity, seconds, transport
        self._lock = threading.Lock()
        self._session: Session | None = None

    def close(self) -> None:
        """Close the connections."""
        if self._session:
            self._session.client.close()
            self._session.streams.close()

    def forget_token(self) -> None:
        """Ask for a new token before the next request."""
        if self._session:
            self._session.token = None

    def current(self) -> Session:
        """Return the session; a new one when the files were replaced. The old ends with its last request.

        While they are being replaced, a certificate and its key may not fit: what is open goes on until they do,
        so that no agent loses its lease. The token goes on, too: it is replaced when a voter refuses it.

        Raises:
            WitnessKeysError: no session was ever open, and the files open none.
        """
        known = self._session
        try:
            stamp = self._identity.stamp() if self._identity else ()
            if known is None or known.stamp != stamp:
                known = self._renewed(stamp)
        except WitnessKeysError:
            if known is None:
                raise
        return known

    def _renewed(self, stamp: tuple[int, ...]) -> Session:
        with self._lock:
            known = self._session
            if known is None or known.stamp != stamp:
                known = self._session = self._open(stamp, known.token if known else None)
            return known

    def _open(self, stamp: tuple[int, ...], token: str | None) -> Session:
        trust = self._identity.context() if self._identity else usual_trust()
        password = self._identity.password() if self._identity else ""
        client = httpx.Client(
            timeout=self._seconds,
            trust_env=False,
            transport=self._transport or BoundedTransport(trust, idle_seconds=_IDLE_SECONDS),
        )
        kept = self._transport or httpx.HTTPTransport(verify=trust, trust_env=False, socket_options=KEPT_ALIVE)
        return Session(client, httpx.Client(trust_env=False, verify=trust, transport=kept), stamp, password, token)
