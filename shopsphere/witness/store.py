"""etcd over its JSON gateway: the few calls that the witness needs, each bounded in time and tried at every voter.

Source: etcd 3.6, https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ . Reads are linearizable unless said otherwise:
a voter without a quorum behind it does not answer.
"""

from __future__ import annotations

import base64
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.keep_alive import KEPT_ALIVE
from shopsphere.foundation.side_by_side import at_each

VOTER_SECONDS = 1.5
"""Bound on one voter's answer (s): the longest way to a voter and two round trips among voters take 0.7 s."""

_STREAM_SECONDS = 240.0
_NO_LEASE = 5  # gRPC NOT_FOUND


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


class WitnessConflictError(ShopSphereError):
    """Somebody else changed the record first, or what a change requires does not hold."""


class LockLostError(ShopSphereError):
    """The operators' lock is not this run's any more: another operator may be moving the pair."""


@dataclass(frozen=True)
class Entry:
    """A value with the revision that a compare-and-swap names."""

    value: str
    revision: int
    lease: int


@dataclass(frozen=True)
class Swap:
    """What became of a conditional write.

    Attributes:
        succeeded: the write was made.
        revision: of the store, after the attempt.
        found: the entries, as far as they exist, of the keys that were read: of a write, only when it was not made.
    """

    succeeded: bool
    revision: int
    found: Mapping[str, Entry]


@dataclass(frozen=True)
class Voter:
    """One voter, asked by itself.

    Attributes:
        url: its client address.
        problem: why it takes no part in the quorum; empty when it does.
    """

    url: str
    problem: str


class Store:
    """The quorum of one pair's voters; safe to share between threads.

    Args:
        urls: client addresses of the voters.
        seconds: bound on each voter's answer.
    """

    def __init__(self, urls: Sequence[str], *, seconds: float = VOTER_SECONDS) -> None:
        self._urls, self._seconds = list(urls), seconds
        self._client = httpx.Client(timeout=seconds, trust_env=False)
        self._streams = httpx.Client(trust_env=False, transport=httpx.HTTPTransport(socket_options=KEPT_ALIVE))
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._streams.close()

    def read(self, *keys: str, newest: bool = True) -> Mapping[str, Entry]:
        """Return the entries of these keys that exist, all as of one revision.

        Args:
            keys: which.
            newest: as the quorum has them. Otherwise as one voter has them, agreed on but perhaps older: that saves the
                way among the voters, which takes most of the time.
        """
        return self._transaction([], _ranges(keys, newest=newest), []).found

    def swap(self, compare: Sequence[Mapping[str, Any]], success: Sequence[Mapping[str, Any]], *keys: str) -> Swap:
        """Write if every comparison holds; else read these keys, as of the same revision: one request for both."""
        return self._transaction(compare, success, _ranges(keys))

    def _transaction(
        self,
        compare: Sequence[Mapping[str, Any]],
        success: Sequence[Mapping[str, Any]],
        failure: Sequence[Mapping[str, Any]],
    ) -> Swap:
        answer = self.call("/v3/kv/txn", {"compare": list(compare), "success": list(success), "failure": list(failure)})
        try:
            revision, found = int(answer["header"]["revision"]), _entries(answer)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise UnreadableWitnessError.because("the witness's answer", error) from error
        return Swap(bool(answer.get("succeeded")), revision, found)

    def grant(self, seconds: int) -> int:
        """Return a new etcd lease."""
        return int(self.call("/v3/lease/grant", {"TTL": seconds})["ID"])

    def keep_alive(self, lease: int) -> bool:
        """Renew a lease; False when it is gone."""
        answer = self.call("/v3/lease/keepalive", {"ID": lease})
        return int(answer.get("result", {}).get("TTL", 0)) > 0

    def revoke(self, lease: int) -> None:
        """End a lease and remove its keys; one that is gone already is fine."""
        self.call("/v3/lease/revoke", {"ID": lease}, accept=_NO_LEASE)

    def call(self, path: str, body: Mapping[str, Any], *, accept: int = 0) -> dict[str, Any]:
        """Ask the voters one after the other until one answers.

        Raises:
            WitnessUnreachableError: none did; what each said is in the message.
        """
        problems = []
        for url in self._in_order():
            try:
                response = self._client.post(url + path, json=body)
                answer: object = response.json()
            except (httpx.HTTPError, ValueError) as error:
                problems.append(f"{url}: {type(error).__name__}")
                continue
            if not isinstance(answer, dict):
                problems.append(f"{url}: no voter's answer")
                continue
            if response.is_success or (accept and answer.get("code") == accept):
                self._prefer(url)
                return answer
            problems.append(f"{url}: {answer.get('message', response.status_code)}")
        raise WitnessUnreachableError.build(
            "the witness has no quorum that answers",
            expected=f"an answer from one of {len(self._urls)} voters with a majority behind it",
            found="; ".join(problems),
            action="check the voters and the network path to them; nothing is decided without them",
        )

    def follow(self, url: str, prefix: str, heard: Callable[[], object]) -> None:
        """Watch the keys that begin with `prefix` at one voter: call `heard` once the watch is open and at each change.

        Returns when the voter ends the watch.

        Raises:
            WitnessUnreachableError: the voter does not answer, has said nothing for 240 s, or the line broke.
        """
        body = {"create_request": {"key": encoded(prefix), "range_end": encoded(_after(prefix))}}
        waits = httpx.Timeout(self._seconds, read=_STREAM_SECONDS)
        try:
            with self._streams.stream("POST", f"{url}/v3/watch", json=body, timeout=waits) as response:
                if not response.is_success:
                    raise WitnessUnreachableError(f"{url}: {response.status_code} instead of a watch")
                for line in response.iter_lines():
                    if '"error"' in line:
                        return
                    heard()
        except httpx.HTTPError as error:
            raise WitnessUnreachableError(f"{url}: {type(error).__name__}") from error

    def each_voter(self) -> list[Voter]:
        """Ask each voter for its own state, all at once, also those that the quorum does not need."""
        return at_each(sorted(self._in_order()), self._look_at)

    def prefer_fastest(self) -> None:
        """Ask first, from now on, the voter that answers a question to the quorum first.

        The time includes the way to the voter and the way among the voters, so this is the leader or a voter near it.
        The other answers are not waited for. If no voter answers, the order stays as it is.
        """
        urls, answered = self._in_order(), queue.SimpleQueue[str]()
        for url in urls:
            threading.Thread(target=self._race, args=(url, answered), daemon=True).start()
        for _ in urls:
            first = answered.get()
            if first:
                self._prefer(first)
                return

    def _race(self, url: str, answered: queue.SimpleQueue[str]) -> None:
        """Ask one voter something that needs the quorum; report its address, or an empty text if it does not answer."""
        try:
            response = self._client.post(f"{url}/v3/kv/range", json={"key": encoded("/"), "count_only": True})
        except (httpx.HTTPError, RuntimeError):  # RuntimeError: the client was closed meanwhile
            answered.put("")
        else:
            answered.put(url if response.is_success else "")

    def _look_at(self, url: str) -> Voter:
        try:
            response = self._client.post(f"{url}/v3/maintenance/status", json={})
            answer: object = response.json()
        except (httpx.HTTPError, ValueError) as error:
            return Voter(url, type(error).__name__)
        if not isinstance(answer, dict):
            return Voter(url, "no voter's answer")
        if not response.is_success:
            return Voter(url, str(answer.get("message", response.status_code)))
        # A voter that has lost the others answers too; it says that it knows no leader.
        return Voter(url, "; ".join(answer.get("errors", [])) or ("" if answer.get("leader") else "no leader"))

    def _in_order(self) -> list[str]:
        with self._lock:
            return list(self._urls)

    def _prefer(self, url: str) -> None:
        with self._lock:
            self._urls.remove(url)
            self._urls.insert(0, url)


def _ranges(keys: Sequence[str], *, newest: bool = True) -> list[dict[str, Any]]:
    return [{"requestRange": {"key": encoded(key), "serializable": not newest}} for key in keys]


def _after(prefix: str) -> str:
    """Return the first key behind all that begin with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _entries(answer: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the entries that the reads of a transaction found."""
    found = {}
    for response in answer.get("responses", []):
        for pair in response.get("response_range", {}).get("kvs", []):
            entry = Entry(decoded(pair["value"]), int(pair["mod_revision"]), int(pair.get("lease", 0)))
            found[decoded(pair["key"])] = entry
    return found


def encoded(text: str) -> str:
    """Return text as the gateway wants it."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str) -> str:
    """Return text from the gateway's form."""
    return base64.b64decode(text).decode()


def unchanged(key: str, revision: int) -> dict[str, Any]:
    """Compare: the key was last changed at this revision; 0 means that it does not exist."""
    return {"key": encoded(key), "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}


def has_value(key: str, value: str) -> dict[str, Any]:
    """Compare: the key has this value."""
    return {"key": encoded(key), "target": "VALUE", "result": "EQUAL", "value": encoded(value)}


def put(key: str, value: str, lease: int = 0) -> dict[str, Any]:
    """Write a key, bound to a lease if one is given."""
    return {"requestPut": {"key": encoded(key), "value": encoded(value), "lease": str(lease)}}
