"""Puts back what is safe to put back, one object at a time, with a look before each and the reason for what is left.

A declared object is applied by the server under the manager that deployed it, by force: fields that somebody else
took are the deployment's again. Fields that the stack leaves to the run time go along with the value that they have,
and only those that the deployment owns now, in the version that was read: so a role that moves meanwhile refuses the
whole of it. What was added then goes by a patch that names what it expects to find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.drift.comparing import Difference
from shopsphere.drift.declared import Declared
from shopsphere.drift.host_repair import load_again
from shopsphere.drift.ignores import Ignore
from shopsphere.drift.judging import differing
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.ownership import APPLY, Ownership
from shopsphere.drift.place import Path
from shopsphere.drift.repair import Repair, steps_of
from shopsphere.drift.repair_plan import Action, Planned, by_object, path_of, plan_of, why_kept
from shopsphere.drift.role_guard import Guard
from shopsphere.drift.undeclared import Live
from shopsphere.estate.nftables import Table
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.foundation.errors import ShopSphereError, one_line

Document = dict[str, Any]
_TRIES = 3
"""Attempts at an object that others change at the same time."""
_MOST_STEPS = 50
"""Additions that are taken out of one object."""


class Changeable(Protocol):
    """What is needed of a cluster."""

    def get(self, path: str, **query: str) -> Document:
        """Return the document at an API path."""

    def find(self, path: str) -> Document | None:
        """Return the document at an API path, or None."""

    def apply(self, path: str, document: Document, *, manager: str) -> Document:
        """Make an object be what `document` says, on behalf of a field manager."""

    def patch_steps(self, path: str, steps: Sequence[Document], *, manager: str) -> Document:
        """Carry out a JSON patch on behalf of a field manager."""

    def delete(self, path: str, *, uid: str = "") -> None:
        """Delete the object with this identity."""

    def create(self, path: str, document: Document) -> Document:
        """Send a document to an API path, and return the answer."""


@dataclass(frozen=True)
class Place:
    """A site that may be put right.

    Attributes:
        repair: how it is reached.
        cluster: its API.
        declared: its declared objects, as findings call them.
        guard: says what keeps it from being changed.
        agent_port: of the agent on each of its hosts.
        firewall: of its hosts, as declared.
    """

    repair: Repair
    cluster: Changeable
    declared: Mapping[str, Declared]
    guard: Guard
    agent_port: int = SITE_AGENT_PORT
    firewall: Table | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one finding.

    Attributes:
        drift: the finding.
        done: what was done, as in "put back"; empty for nothing.
        why: why it is still there; empty where it is not.
    """

    drift: Drift
    done: str
    why: str = ""


class LeftError(ShopSphereError):
    """An object is left as it is, for the reason that the message gives."""


def plan(
    drifts: Iterable[Drift], places: Mapping[str, Place], unreachable: Mapping[str, str] | None = None
) -> list[Planned]:
    """Return what is to be done about each finding; it only reads.

    Args:
        drifts: the findings.
        places: the sites that may be put right.
        unreachable: sites that cannot, with the reason.
    """
    barred = {**(unreachable or {}), **{site: place.guard() for site, place in places.items()}}
    found = []
    for drift in drifts:
        place = places.get(drift.site)
        declared = place.declared.get(drift.object) if place else None
        is_undeclared = place is not None and drift.kind is Kind.UNDECLARED
        try:
            path = path_of(drift.object) if is_undeclared else ""
            planned = plan_of(drift, declared, place.cluster.find(path) if place and path else None)
        except ShopSphereError as error:
            planned = Planned(drift, Action.LEAVE, one_line(error))
        if barred.get(drift.site) and (planned.action is not Action.LEAVE or place is None):
            planned = Planned(drift, Action.LEAVE, barred[drift.site])
        found.append(planned)
    return found


def carry_out(planned: Sequence[Planned], places: Mapping[str, Place], ignores: Sequence[Ignore]) -> list[Outcome]:
    """Do what is planned, object by object; one that fails hides no other."""
    outcomes = {each.drift: Outcome(each.drift, "", each.why) for each in planned}
    for (site, name), steps in by_object(planned).items():
        try:
            left = _put_right(places[site], name, steps, ignores)
            why = "it is still there after all that could be done" if left else ""
        except ShopSphereError as error:
            left, why = {each.drift.field for each in steps}, one_line(error)
        for each in steps:
            is_left = each.drift.field in left
            outcomes[each.drift] = Outcome(each.drift, "" if is_left else _DONE[each.action], why if is_left else "")
    return [*outcomes.values()]


_DONE = {Action.APPLY: "put back", Action.TAKE_OUT: "taken out", Action.DELETE: "deleted", Action.LOAD: "loaded again"}


def _put_right(place: Place, name: str, steps: Sequence[Planned], ignores: Sequence[Ignore]) -> set[str]:
    if steps[0].action is not Action.LOAD:
        return _Object(place, name, steps, ignores).put_right()
    require_quiet(place)
    load_again(place.cluster, name, place.agent_port, place.firewall)
    return set()


class _Object:
    """One object with findings."""

    def __init__(self, place: Place, name: str, steps: Sequence[Planned], ignores: Sequence[Ignore]) -> None:
        self._place, self._steps, self._ignores = place, steps, ignores
        self._path, self._kind = path_of(name), name.partition(" ")[0]
        self._declared = place.declared.get(name)

    def put_right(self) -> set[str]:
        """Do it, and return the fields that still differ.

        Raises:
            ShopSphereError: it cannot be done, or is not to be done now.
        """
        actions = {each.action for each in self._steps}
        if self._declared is None:
            self._delete()
            return set()
        for attempt in range(1, _TRIES + 1):
            try:
                if Action.APPLY in actions:
                    self._apply(self._declared)
                return self._take_out(self._declared)
            except ConflictError:
                if attempt == _TRIES:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _delete(self) -> None:
        live = self._live()
        if why := why_kept(self._kind, live):
            raise LeftError(why)
        self._require_quiet()
        self._place.cluster.delete(self._path, uid=str(live["metadata"].get("uid", "")))

    def _apply(self, declared: Declared) -> None:
        live = self._live()
        self._require_unaccepted(self._differences(declared, live))
        body = with_run_time(declared, live)
        metadata = {**body["metadata"], "resourceVersion": live["metadata"]["resourceVersion"]}
        document = {"apiVersion": declared.version, "kind": declared.kind, **body, "metadata": metadata}
        self._require_quiet()
        self._place.cluster.apply(self._path, document, manager=declared.manager)

    def _take_out(self, declared: Declared) -> set[str]:
        """Take out what was added, one after the other, because each moves those after it; return what is left."""
        meant = {each.drift.field for each in self._steps}
        for _ in range(_MOST_STEPS):
            live = self._live()
            found = self._differences(declared, live)
            added = next((each for each, drift in found if drift.field in meant and each.kind is Kind.ADDED), None)
            if added is None:
                return {drift.field for _, drift in found}
            self._require_unaccepted([(each, drift) for each, drift in found if each is added])
            self._require_quiet()
            self._place.cluster.patch_steps(self._path, steps_of(added), manager=declared.manager)
        raise LeftError(f"more than {_MOST_STEPS} additions: somebody adds them as fast as they are taken out")

    def _live(self) -> Document:
        found = self._place.cluster.find(self._path)
        if found is None:
            raise LeftError("it is gone meanwhile")
        if "deletionTimestamp" in found["metadata"]:
            raise LeftError("it is being deleted")
        return found

    def _differences(self, declared: Declared, live: Document) -> list[tuple[Difference, Drift]]:
        return [*differing(declared, Live(self._kind, live), self._place.repair)]

    def _require_unaccepted(self, found: Iterable[tuple[Difference, Drift]]) -> None:
        today = datetime.now(UTC).date()
        for _, drift in found:
            owner = next((each.owner for each in self._ignores if each.expires >= today and each.covers(drift)), None)
            if owner is not None:
                raise LeftError(f"{drift.field or 'a part of it'} is accepted by {owner}, and would be overwritten")

    def _require_quiet(self) -> None:
        require_quiet(self._place)


def require_quiet(place: Place) -> None:
    """Leave a site alone in which something else is under way.

    Raises:
        LeftError: with what it is.
    """
    if why := place.guard():
        raise LeftError(why)


def with_run_time(declared: Declared, live: Mapping[str, Any]) -> Document:
    """Return what is to be applied: as declared, but what belongs to the run time as it is.

    Of that, the deployment goes on to own what it owns now. Left out, it would be taken away from the object; with the
    declared value, a database would get the role that it had on its first day.
    """
    ownership = Ownership(live)

    def is_ours(path: Path) -> bool:
        return any(each.manager == declared.manager and each.operation == APPLY for each in ownership.of(path))

    body: Document = _copied(declared.body)
    for fields in declared.run_time:
        _remove(body, fields)
        if (kept := _owned(_at(live, fields), fields, is_ours)) is not None:
            _put(body, fields, kept)
    return body


def _owned(value: Any, path: Path, is_ours: Callable[[Path], bool]) -> Any:
    """Return the part of a value that is ours; None for nothing."""
    if isinstance(value, Mapping) and value:
        parts = {key: _owned(part, (*path, key), is_ours) for key, part in value.items()}
        return {key: part for key, part in parts.items() if part is not None} or None
    return value if value is not None and is_ours(path) else None


def _copied(value: Any) -> Any:
    return {key: _copied(part) for key, part in value.items()} if isinstance(value, Mapping) else value


def _at(document: Any, fields: Sequence[str]) -> Any:
    for field in fields:
        document = document.get(field) if isinstance(document, Mapping) else None
    return document


def _remove(document: Document, fields: Sequence[str]) -> None:
    parent = _at(document, fields[:-1])
    if isinstance(parent, dict):
        parent.pop(fields[-1], None)


def _put(document: Document, fields: Sequence[str], value: Any) -> None:
    for field in fields[:-1]:
        document = document.setdefault(field, {})
    document[fields[-1]] = value
