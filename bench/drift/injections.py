"""What an injection is: what is done by somebody else, what takes it back, and what drift has to say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acts import CDN, CONTROLLER, DNS, KUBECTL, STRANGER, Act, Hands, needed_object, read_object
from patches import Change, Edit, change_of

from shopsphere.drift.kinds import resource_of

MARK = "drift-bench"
"""Name of what is made, so that nobody takes it for something else."""
_OF_PULUMI = "pulumi-kubernetes"
_NOT_APPLIED = ("creationTimestamp", "deletionTimestamp", "generation", "managedFields", "resourceVersion", "uid")


@dataclass(frozen=True)
class Ground:
    """What injections have to know of a lab.

    Attributes:
        region: the pair.
        site: its active site, where everything is done but what is done at the edge.
        elsewhere: a site of another region: names of the edge that nobody uses meanwhile.
        labels: labels of the site's own things by class of data.
        image: of the shop, as the site runs it.
        pod_address: one of the site's pod network.
        instances: pod of the instance that takes writes, by database.
        domain: of the shop.
        distribution: name of the CDN's declared one.
        document: what the CDN is set to.
        authorities: names of the DNS authorities.
        varnish: the cache's working folder on the host `edge`.
    """

    region: str
    site: str
    elsewhere: str
    labels: Mapping[str, Mapping[str, str]]
    image: str
    pod_address: str
    instances: Mapping[str, str]
    domain: str
    distribution: str
    document: Mapping[str, Any]
    authorities: tuple[str, ...]
    varnish: str


@dataclass(frozen=True)
class Prepared:
    """What is sent, once it is known what there is.

    Attributes:
        do: the injection.
        undo: takes it back, whatever repairs can and cannot do.
        tidy: puts the record of who owns which field back as it was, after the values are.
        is_there: whether it is still there; None where that cannot be asked.
    """

    do: tuple[Act, ...]
    undo: tuple[Act, ...]
    tidy: tuple[Act, ...] = ()
    is_there: Callable[[Hands], bool] | None = None


@dataclass(frozen=True)
class Injection:
    """One drift.

    Attributes:
        kind: what sort of drift it is.
        place: site, `edge` or host, as findings call it.
        object: as findings call it.
        field: as findings call it; empty for the object as a whole.
        how: by which program or service.
        family: injections of one family may be there at the same time, if their objects differ.
        author: name that has to be told; empty where the service that was written to keeps no record of a writer.
        prepare: asks what there is and returns what to send.
        also: other objects that come along with it.
    """

    kind: str
    place: str
    object: str
    field: str
    how: str
    family: str
    author: str
    prepare: Callable[[Hands], Prepared]
    also: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from all others, in results and journals."""
        return f"{self.place} | {self.kind} | {self.object} | {self.field}"


def named(kind: str, namespace: str, name: str) -> str:
    """Return how findings call an object of a cluster."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _in(namespace: str) -> tuple[str, ...]:
    return (f"--namespace={namespace}",) if namespace else ()


def patched(
    sort: str,
    site: str,
    target: tuple[str, str, str],
    field: str,
    *edits: Edit,
    user: str = STRANGER,
    manager: str = STRANGER,
) -> Injection:
    """Return a change of an object.

    Args:
        sort: what sort of drift it is.
        site: where.
        target: kind, namespace and name.
        field: that has to be named.
        edits: what is changed.
        user: who does it.
        manager: what their program calls itself.
    """

    def prepare(hands: Hands) -> Prepared:
        live = needed_object(hands, site, target)
        change = change_of(edits, live)
        return Prepared(
            (_patch(site, target, change.there, f"--field-manager={manager}", user=user),),
            (_patch(site, target, change.back, user=_own(user)),),
            (_owners_back(site, target, live, user=_own(user)),),
            lambda again: _holds(again, site, target, change),
        )

    taken_away = all(edit.removes for edit in edits)
    author = "" if taken_away else manager
    return Injection(sort, site, named(*target), field, "kubectl", "cluster", author, prepare)


def _own(user: str) -> str:
    """Who may take it back: what admission lets controllers alone write, only they can put back, too."""
    return CONTROLLER if user == CONTROLLER else ""


def _patch(site: str, target: tuple[str, str, str], patch: Sequence[object], *words: str, user: str) -> Act:
    kind, namespace, name = target
    place = (*_in(namespace), "--type=json", f"--patch={json.dumps(patch)}", *words)
    return Act(KUBECTL, ("patch", resource_of(kind), name, *place), site, user=user)


def _owners_back(site: str, target: tuple[str, str, str], live: Mapping[str, Any], *, user: str = "") -> Act:
    """Return what puts back the record of who owns which field."""
    owned = {"op": "replace", "path": "/metadata/managedFields", "value": live["metadata"]["managedFields"]}
    return _patch(site, target, [owned], user=user)


def _holds(hands: Hands, site: str, target: tuple[str, str, str], change: Change) -> bool:
    kind, namespace, name = target
    live = read_object(hands, site, resource_of(kind), namespace, name)
    return live is not None and change.holds(live)


def made(sort: str, site: str, manifest: Mapping[str, Any], *, user: str = STRANGER) -> Injection:
    """Return an object that nobody declared."""
    kind, metadata = str(manifest["kind"]), manifest["metadata"]
    namespace, name = str(metadata.get("namespace", "")), str(metadata["name"])
    do = Act(KUBECTL, ("create", f"--field-manager={STRANGER}", "-f", "-"), site, json.dumps(manifest), user)
    gone = ("delete", _resource(kind), name, *_in(namespace), "--ignore-not-found", "--wait=false")
    undo = Act(KUBECTL, gone, site, user=_own(user))

    def is_there(hands: Hands) -> bool:
        return read_object(hands, site, _resource(kind), namespace, name) is not None

    found = Prepared((do,), (undo,), is_there=is_there)
    return Injection(sort, site, named(kind, namespace, name), "", "kubectl", "cluster", STRANGER, lambda _hands: found)


def _resource(kind: str) -> str:
    try:
        return resource_of(kind)
    except KeyError:  # one that drift does not list, and that admission refuses
        return kind.lower()


def removed(sort: str, site: str, target: tuple[str, str, str]) -> Injection:
    """Return the loss of a declared object; it is put back under the name that had deployed it."""
    kind, namespace, name = target
    resource = resource_of(kind)

    def prepare(hands: Hands) -> Prepared:
        live = needed_object(hands, site, target)
        owners = [str(each["manager"]) for each in live["metadata"].get("managedFields", ())]
        manager = next((each for each in owners if each.startswith(_OF_PULUMI)), owners[0] if owners else _OF_PULUMI)
        apply = ("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", "-")
        return Prepared(
            (Act(KUBECTL, ("delete", resource, name, *_in(namespace), "--wait=true"), site, user=STRANGER),),
            (Act(KUBECTL, apply, site, json.dumps(applicable(live))),),
            (_owners_back(site, target, live),),
            lambda again: read_object(again, site, resource, namespace, name) is None,
        )

    return Injection(sort, site, named(*target), "", "kubectl", "cluster", "", prepare)


def applicable(live: Mapping[str, Any]) -> dict[str, Any]:
    """Return a live object without what the API server alone writes."""
    metadata = {key: value for key, value in live["metadata"].items() if key not in _NOT_APPLIED}
    return {**{key: value for key, value in live.items() if key != "status"}, "metadata": metadata}


def run_in_pod(ground: Ground, database: str, script: str, *, user: str = "") -> Act:
    """Return a shell line beside a database's server, as whoever may enter its pod."""
    place = (f"--namespace=data-{database}", "exec", ground.instances[database], "--container=postgres", "--")
    return Act(KUBECTL, (*place, "sh", "-c", script), ground.site, user=user)


def psql(ground: Ground, database: str, statements: str, *, user: str = "") -> Act:
    """Return statements that the server's administrator runs in its pod."""
    place = (f"--namespace=data-{database}", "exec", ground.instances[database], "--container=postgres", "--")
    words = ("psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={database}", "--command", statements)
    return Act(KUBECTL, (*place, *words), ground.site, user=user)


def told(ground: Ground, database: str, name: str) -> str:
    """Return how findings call something in a site's database."""
    return f"PostgreSQL {database}-{ground.site}: {name}"


def statement(
    ground: Ground, sort: str, database: str, name: str, field: str, do: str, undo: str, also: tuple[str, ...] = ()
) -> Injection:
    """Return SQL in a database; what a database holds beside a server's own is called by its name, too."""
    found = Prepared((psql(ground, database, do, user=STRANGER),), (psql(ground, database, undo),))
    object_ = told(ground, database, name)
    others = tuple(told(ground, database, each) for each in also)
    return Injection(sort, ground.site, object_, field, "psql", "database", "", lambda _hands: found, others)


def scripted(ground: Ground, sort: str, database: str, name: str, field: str, do: str, undo: str) -> Injection:
    """Return a change of a server's files, in its pod."""
    found = Prepared((run_in_pod(ground, database, do, user=STRANGER),), (run_in_pod(ground, database, undo),))
    return Injection(
        sort, ground.site, told(ground, database, name), field, "psql", "database", "", lambda _hands: found
    )


def at_authority(
    sort: str, authority: str, object_: str, field: str, do: tuple[str, str, Any], undo: tuple[str, str, Any]
) -> Injection:
    """Return a request to a DNS authority; method, path and body each."""
    found = Prepared((_request(DNS, authority, do),), (_request(DNS, authority, undo),))
    return Injection(sort, "edge", f"{object_} at {authority}", field, "DNS API", "edge", "", lambda _hands: found)


def at_cdn(sort: str, object_: str, field: str, do: tuple[str, str, Any], undo: tuple[str, str, Any]) -> Injection:
    """Return a request to the CDN; method, path and body each."""
    found = Prepared((_request(CDN, "", do),), (_request(CDN, "", undo),))
    return Injection(sort, "edge", object_, field, "CDN API", "edge", "", lambda _hands: found)


def _request(tool: str, place: str, request: tuple[str, str, Any]) -> Act:
    method, path, body = request
    return Act(tool, (method, path), place, json.dumps(body) if body is not None else "")
