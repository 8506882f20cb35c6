"""What the door answers: `/writes` for gateways, `/state` for people and runbooks, `/rules` for drift."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from runbooks.agent.door.callers import Callers
from runbooks.agent.door.heard import SilentAgentError, StateFile
from runbooks.agent.rules_line import LOAD, SOCKET_FILE, TELL
from shopsphere.estate.site_agent import (
    HAS_LEASE,
    OPEN_FOR_WRITES,
    RULES_PATH,
    STATE_PATH,
    UNTIL_HEADER,
    UNTIL_SECONDS,
    WRITES_PATH,
    has_lease,
    lets_writes_through,
)
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.errors import one_line

_IS_SO = {HAS_LEASE: has_lease, OPEN_FOR_WRITES: lets_writes_through}
_LOOK_EVERY = 0.02
_WAITING_AT_ONCE = 8
"""Questions that may wait for their answer; the others are answered at once."""
_RULES_AT_ONCE = 2
"""Questions for the rules that the agent is asked at once: one is served, one waits."""
_RULES_SECONDS = 8.0
"""The agent waits 2 s for its turn at most, lists three times, and each may take 2 s."""
_MOST_RULES = 16 * 2**20
"""Bytes of the agent's answer; it refuses to tell more than half of that."""


@dataclass(frozen=True)
class Request:
    """A question.

    Attributes:
        method: GET or POST.
        path: what it asks for.
        until: what it waits for; empty for nothing.
        address: who asks.
    """

    method: str
    path: str
    until: str
    address: str


@dataclass(frozen=True)
class Answer:
    """Status, body and its kind."""

    status: int
    body: bytes
    kind: str = "text/plain"


class Answers:
    """The answers of one site.

    Args:
        folder: where the agent publishes.
        callers: who may see what.
    """

    def __init__(self, folder: Path, callers: Callers) -> None:
        self._said, self._line, self._callers = StateFile(folder), folder / SOCKET_FILE, callers
        self._waiting = self._asking = 0

    async def to(self, request: Request) -> Answer:
        """Return the answer; it takes some seconds at most."""
        match request.method, request.path:
            case "GET", path if path == WRITES_PATH:
                return self._writes(request.address)
            case "GET", path if path == STATE_PATH:
                return await self._state(request)
            case "GET", path if path == RULES_PATH:
                return await self._rules(request.address, TELL)
            case "POST", path if path == RULES_PATH:
                return await self._rules(request.address, LOAD)
        return Answer(404, f"asked for: {WRITES_PATH} or {STATE_PATH}\n".encode())

    def _writes(self, address: str) -> Answer:
        """Answer a gateway. Only who may see the state learns why: reasons are operators' words."""
        try:
            heard = self._said.look()
            writes, because = heard.writes, heard.because
        except SilentAgentError as error:
            writes, because = False, one_line(error)
        shown = because if self._callers.may_see_state(address) else "open" if writes else "closed"
        return Answer(200 if writes else 503, shown.encode() + b"\n")

    async def _state(self, request: Request) -> Answer:
        if not self._callers.may_see_state(request.address):
            why = "may not see this site's state: ask from its host, or add your network to the agent's `state_askers`"
            return _json(403, {"message": f"{request.address} {why}"})
        try:
            return _json(200, await self._awaited(request.until))
        except SilentAgentError as error:
            return _json(503, {"message": one_line(error)})

    async def _awaited(self, until: str) -> Mapping[str, object]:
        """Return the state when what is waited for is so, or as it is after a while; at once if nothing is waited for.

        Raises:
            SilentAgentError: the agent is gone, or went meanwhile.
        """
        is_so = _IS_SO.get(until)
        if is_so is None or self._waiting >= _WAITING_AT_ONCE:
            return self._said.look().state
        ends = SYSTEM_CLOCK.monotonic() + UNTIL_SECONDS
        self._waiting += 1
        try:
            while not is_so(state := self._said.look().state) and SYSTEM_CLOCK.monotonic() < ends:  # noqa: ASYNC110 a file
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            self._waiting -= 1
        return state

    async def _rules(self, address: str, word: bytes) -> Answer:
        if not self._callers.may_ask_for_rules(address):
            why = "is no API server of this site: ask through it, at its proxy to this host"
            return _json(403, {"message": f"{address} {why}"})
        if self._asking >= _RULES_AT_ONCE:
            return _json(503, {"message": "the rules of this host are being asked for: ask again"})
        self._asking += 1
        try:
            async with asyncio.timeout(_RULES_SECONDS):
                status, document = json.loads(await self._ask_agent(word))
            return _json(status, document)
        except (OSError, ValueError, TimeoutError) as error:
            why = "the agent of this host does not tell its rules: look at its log"
            return _json(503, {"message": f"{why}: {type(error).__name__}: {error}"})
        finally:
            self._asking -= 1

    async def _ask_agent(self, word: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self._line))
        try:
            writer.write(word)
            found = b""
            while part := await reader.read(2**16):
                found += part
                if len(found) > _MOST_RULES:
                    raise ValueError(f"more than {_MOST_RULES} bytes")
            return found
        finally:
            writer.transport.abort()


def _json(status: int, document: Mapping[str, object]) -> Answer:
    return Answer(HTTPStatus(status), json.dumps(document).encode(), "application/json")


def request_of(method: bytes, target: bytes, headers: Mapping[bytes, bytes], address: str) -> Request:
    """Return a request as it was read; names of headers are in small letters."""
    until = headers.get(UNTIL_HEADER.lower().encode(), b"")
    return Request(method.decode("latin-1"), target.decode("latin-1"), until.decode("latin-1"), address)
