"""The keys of a witness: the few calls that it needs, each bounded in time and tried at every voter.

Reads are linearizable unless said otherwise: a voter without a quorum behind it does not answer.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.side_by_side import at_each
from shopsphere.witness.gateway import (
    VOTER_SECONDS,
    Gateway,
    UnreadableWitnessError,
    WitnessRefusedError,
    WitnessUnreachableError,
)
from shopsphere.witness.identity import Identity
from shopsphere.witness.said import ENDS, why
from shopsphere.witness.voter import Voter, does_not_vote, leads_in, members_in, sizes_in

_NO_LEASE = 5  # gRPC NOT_FOUND
_MOST_UNDER = 256
"""Most keys that a read of all that begin alike returns."""


class WitnessConflictError(ShopSphereError):
    """Somebody else changed the record first, or what a change requires does not hold."""


class LockLostError(ShopSphereError):
    """The operators' lock is not this run's any more: another operator may be moving the pair."""


@dataclass(frozen=True)
class Lock:
    """An operator's lock, as the witness gave it.

    Attributes:
        lease: number of the lease that keeps it.
        revision: of its key; no other lock ever has the same.
    """

    lease: int
    revision: int


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

    def has_claimed(self, key: str, lease: int) -> bool:
        """Whether a key has this lease: written now, or before at a voter whose answer was lost, so that it failed."""
        return self.succeeded or (key in self.found and self.found[key].lease == lease)


class Store:
    """The quorum of one pair's voters; safe to share between threads.

    Args:
        urls: client addresses of the voters.
        identity: who asks; None where the voters take anybody.
        seconds: bound on each voter's answer.
        transport: replaceable in tests.
    """

    def __init__(
        self,
        urls: Sequence[str],
        identity: Identity | None = None,
        *,
        seconds: float = VOTER_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.gateway = Gateway(urls, identity, seconds=seconds, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self.gateway.close()

    def read(self, *keys: str, newest: bool = True) -> Mapping[str, Entry]:
        """Return the entries of these keys that exist, all as of one revision.

        Args:
            keys: which; one that ends in a slash stands for all keys that begin with it.
            newest: as the quorum has them. Otherwise as one voter has them, agreed on but perhaps older: that saves the
                way among the voters, which takes most of the time.
        """
        return self._transaction([], _ranges(keys, newest=newest), []).found

    def read_under(self, prefix: str, *, most: int) -> Mapping[str, Entry]:
        """Return the entries whose keys begin with `prefix`, as the quorum has them; not more than `most`."""
        keys = {"key": encoded(prefix), "range_end": encoded(after(prefix)), "limit": str(most)}
        return self._transaction([], [{"requestRange": keys}], []).found

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

    def seconds_left(self, lease: int) -> int:
        """Return the whole seconds until a lease ends if nobody renews it; less than 1 for one that has ended."""
        said = self.call("/v3/lease/timetolive", {"ID": lease}).get("TTL", "0")
        try:
            return int(str(said))  # JSON of etcd has such numbers as text
        except ValueError as error:
            raise UnreadableWitnessError.because("how long a lease lasts", error) from error

    def revoke(self, lease: int) -> None:
        """End a lease and remove its keys; one that is gone already is fine."""
        self.call("/v3/lease/revoke", {"ID": lease}, accept=_NO_LEASE)

    def call(self, path: str, body: Mapping[str, Any], *, accept: int = 0) -> dict[str, Any]:
        """Ask the voters one after the other until one answers; raises as `Gateway.call` does."""
        return self.gateway.call(path, body, accept=accept)

    def follow(self, url: str, prefix: str, heard: Callable[[], object]) -> None:
        """Watch the keys that begin with `prefix` at one voter: call `heard` once the watch is open and at each change.

        Returns when the voter ends the watch.

        Raises:
            WitnessRefusedError: the voter does not let this user watch.
            WitnessUnreachableError: the voter does not answer, has said nothing for 240 s, or the line broke.
        """
        body = {"create_request": {"key": encoded(prefix), "range_end": encoded(after(prefix))}}
        try:
            with self.gateway.stream(url, "/v3/watch", body) as response:
                if not response.is_success:
                    raise WitnessUnreachableError(f"{url}: {response.status_code} instead of a watch")
                for line in response.iter_lines():
                    if '"error"' in line:
                        return
                    if '"canceled":true' in line:  # the token is checked where the watch begins, and never again
                        self.gateway.forget_token()
                        raise WitnessRefusedError(f"{url}: refused a watch: {line[:200]}")
                    heard()
        except httpx.HTTPError as error:
            raise WitnessUnreachableError(f"{url}: {type(error).__name__}") from error

    def each_voter(self) -> list[Voter]:
        """Ask each voter for its own state, all at once, also those that the quorum does not need."""
        return at_each(sorted(self.gateway.order.in_order()), self._look_at)

    def prefer_fastest(self, key: str) -> None:
        """Ask first, from now on, the voter that answers a question to the quorum in the least time.

        The time includes the way to the voter and the way among the voters, so this is the leader or a voter near it.
        After the first answer the others are not waited for. If no voter answers, the order stays as it is.

        Args:
            key: one that this user may read.
        """

        def answers(url: str) -> bool:
            try:
                asked = self.gateway.post(url, "/v3/kv/range", {"key": encoded(key), "count_only": True})
            except (httpx.HTTPError, RuntimeError, ShopSphereError):  # RuntimeError: the client was closed meanwhile
                return False
            return asked.is_success

        self.gateway.order.race(answers)

    def _look_at(self, url: str) -> Voter:
        """Ask one voter whether it is well: alarms, a leader, and a read by the quorum; then how full it is."""
        try:
            response = self.gateway.get(url, "/health")
            answer: object = response.json()
        except (httpx.HTTPError, ValueError) as error:
            return Voter(url, why(error))
        if not isinstance(answer, dict) or "health" not in answer:
            return Voter(url, "no voter's answer")
        problem = "" if answer["health"] == "true" else str(answer.get("reason") or "not well")
        ends = response.extensions.get(ENDS)
        try:
            figures = self.gateway.get(url, "/metrics").text
        except httpx.HTTPError:
            return Voter(url, problem, ends=ends)
        counted = members_in(figures)
        return Voter(url, problem or does_not_vote(figures), *sizes_in(figures), ends, counted, leads_in(figures))


def _ranges(keys: Sequence[str], *, newest: bool = True) -> list[dict[str, Any]]:
    return [{"requestRange": {**_place(key), "serializable": not newest}} for key in keys]


def _place(key: str) -> dict[str, Any]:
    """Return a key, or all that begin with it, not more than a site has nodes."""
    if not key.endswith("/"):
        return {"key": encoded(key)}
    return {"key": encoded(key), "range_end": encoded(after(key)), "limit": str(_MOST_UNDER)}


def after(prefix: str) -> str:
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


def removed(key: str) -> dict[str, Any]:
    """Return the removal of a key; one that is not there is fine."""
    return {"requestDeleteRange": {"key": encoded(key)}}


def unchanged(key: str, revision: int) -> dict[str, Any]:
    """Compare: the key was last changed at this revision; 0 means that it does not exist."""
    return {"key": encoded(key), "target": "MOD", "result": "EQUAL", "mod_revision": str(revision)}


def none_under(prefix: str) -> dict[str, Any]:
    """Compare: no key begins with this prefix."""
    return _none_between(prefix, after(prefix))


def none_beside(prefix: str, own: str) -> list[dict[str, Any]]:
    """Compare: every key that begins with `prefix` begins with `own` too."""
    return [_none_between(prefix, own), _none_between(after(own), after(prefix))]


def _none_between(first: str, end: str) -> dict[str, Any]:
    """Compare: no key is there from `first` to before `end`. Of no keys etcd compares one of version 0."""
    place = {"key": encoded(first), "range_end": encoded(end)}
    return {**place, "target": "VERSION", "result": "EQUAL", "version": "0"}


def has_value(key: str, value: str) -> dict[str, Any]:
    """Compare: the key has this value."""
    return {"key": encoded(key), "target": "VALUE", "result": "EQUAL", "value": encoded(value)}


def put(key: str, value: str, lease: int = 0) -> dict[str, Any]:
    """Write a key, bound to a lease if one is given."""
    return {"requestPut": {"key": encoded(key), "value": encoded(value), "lease": str(lease)}}
