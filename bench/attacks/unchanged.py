"""What has to be the same after an attempt as before it, and what of it is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from attempt import DESK, Question, get
from places import Places

from lab.archive import archive_folder, buckets_of
from lab.cluster.addons import kubectl
from lab.edge.components import lab_settings
from lab.hosts import archive_host
from lab.leading import leading_pod
from shopsphere.clients.archive import ArchiveAccess, Bucket
from shopsphere.clients.edge_identity import WATCHER, EdgeIdentity
from shopsphere.estate.archive_keys import AUTHORITY_FILE, READER
from shopsphere.estate.archive_names import PARTIAL
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import secret_in
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run
from shopsphere.topology import ARCHIVE_PORT, Jurisdiction, Pair, Topology
from shopsphere.witness.access import administered_witness, witness_of

State = dict[str, Any]
COUNTS = {
    ("data-commerce", "commerce"): 'SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM orders."order"',
    ("data-ledger", "ledger"): "SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM payments.payment",
}
_WATCHED = ("configmaps", "rolebindings", "networkpolicies", "clusters.postgresql.cnpg.io")
"""Of the databases' namespaces: permits lie there."""
UNKNOWN = "not known: "
"""What a value begins with that could not be read: it is never the same as another one."""


def state(pair: Pair, topology: Topology, places: Places) -> State:
    """Return what attackers would like to change: a few seconds' reading."""
    found: State = {}
    _put(found, "the witness's record and members", lambda: _witness(pair))
    edge = _edge_questions(topology)
    for (name, _), answer in zip(edge, places.ask(DESK, [each for _, each in edge]), strict=True):
        found[name] = answer["text"] if answer["status"] == 200 else f"{UNKNOWN}{answer['status']} {answer['text']}"
    for (namespace, cluster), statement in COUNTS.items():
        _put(found, f"rows of {cluster}", partial(_count, pair.primary, namespace, cluster, statement))
    for site in pair.sites:
        _put(found, f"objects of {site}'s databases", partial(_objects, site))
    jurisdiction = topology.jurisdictions[topology.jurisdiction_of(pair.primary)]
    if jurisdiction.archive:
        for bucket in buckets_of(pair.sites):
            _put(found, f"bucket {bucket}", partial(_keys, jurisdiction, bucket))
    return found


def drifted(pair: Pair) -> State:
    """Return what drift says of the pair and of the edge, which takes a minute."""
    found = {}
    for stack in (pair.name, "edge"):
        done = run([REPOSITORY / ".venv/bin/shopsphere", "drift", stack], check=False, seconds=300)
        found[f"drift {stack}"] = [done.code, *done.stdout.strip().splitlines()[-1:]]
    return found


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what is another thing now, or not known; buckets only grow, and nothing of an attacker is in them."""
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, f"{UNKNOWN}not read"), after.get(name, f"{UNKNOWN}not read")
        unread = [each for each in (old, new) if isinstance(each, str) and each.startswith(UNKNOWN)]
        if unread:
            found.append(f"{name}: {unread[0]}")
        elif isinstance(old, list) and name.startswith("bucket "):
            lost, planted = sorted({*old} - {*new}), sorted(each for each in new if "attack" in each)
            found += [f"{name}: {each} is gone" for each in lost if PARTIAL not in each]
            found += [f"{name}: {each} was put there" for each in planted]
        elif old != new:
            found.append(f"{name}: {_short(old)} became {_short(new)}")
    return found


def _put(found: State, name: str, read: Callable[[], Any]) -> None:
    try:
        found[name] = read()
    except (ShopSphereError, OSError, ValueError, KeyError) as error:
        found[name] = f"{UNKNOWN}{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _witness(pair: Pair) -> Any:
    with closing(witness_of(pair.name, Environment.LAB)) as witness:
        record = witness.see().record
    if record is None:
        raise ValueError("no record")
    with closing(administered_witness(pair.name, Environment.LAB)) as store:
        members = store.call("/v3/cluster/member/list", {})["members"]
        users = store.call("/v3/auth/user/list", {})["users"]
    voters = sorted(f"{each.get('name')} {each.get('peerURLs')}" for each in members)
    return {"record": record.model_dump(mode="json"), "voters": voters, "users": sorted(users)}


def _edge_questions(topology: Topology) -> list[tuple[str, Question]]:
    settings, zone = lab_settings(), topology.domain
    _, certificate, key = EdgeIdentity(settings.edge_keys, WATCHER).files
    shown = {"certificate": [str(certificate), str(key)], "digest": True}
    path = f"/api/v1/servers/localhost/zones/{zone}."
    found = [
        (f"the zone with its serial at {name}", get(f"https://{address}:{settings.dns_api_port}{path}", **shown))
        for name, address in settings.authorities.items()
    ]
    cdn = f"https://{settings.cdn}:{settings.cdn_api_port}/v1/distributions"
    return [*found, ("the CDN's distributions and their origins", get(cdn, **shown))]


def _count(site: str, namespace: str, cluster: str, statement: str) -> str:
    words = ["exec", "-n", namespace, leading_pod(site, cluster), "-c", "postgres", "--", "psql", "-tA"]
    return kubectl(site, *words, "-c", statement, cluster).strip()


def _objects(site: str) -> list[str]:
    """Return names of what permits and rights are, and of the databases' pods."""
    found: list[str] = []
    for namespace, _ in COUNTS:
        listed = kubectl(site, "get", ",".join(("pods", *_WATCHED)), "-n", namespace, "-o", "json")
        found += [f"{namespace} {each['kind']} {each['metadata']['name']}" for each in json.loads(listed)["items"]]
    return sorted(each for each in found if not _is_of_a_job(each))


def _is_of_a_job(name: str) -> bool:
    return " Pod " in name and "migrat" in name


def _keys(jurisdiction: Jurisdiction, bucket: str) -> list[str]:
    folder = archive_folder(archive_host(jurisdiction.name))
    url = f"https://{jurisdiction.archive.address if jurisdiction.archive else ''}:{ARCHIVE_PORT}"
    access = ArchiveAccess(url, READER, secret_in(folder / f"{READER}.secret"), folder / AUTHORITY_FILE)
    return sorted(each.key for each in Bucket(access, bucket).listed(""))


def _short(value: Any) -> str:
    text = json.dumps(value) if not isinstance(value, str) else value
    return text if len(text) <= 300 else f"{text[:300]}…"
