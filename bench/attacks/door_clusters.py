"""The API servers, kubelets and stores of a pair's clusters (H3, H13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attacked import Scene
from attempt import (
    CLIENT,
    CLOSED,
    DESK,
    HOST,
    OWN_POD,
    POD,
    PORT,
    POSTGRES_SSL,
    STATUS,
    TLS,
    TLS_HELLO,
    Attempt,
    Control,
    Question,
    attempt,
    get,
    post,
    tcp,
)

from lab.paths import disk_directory
from shopsphere.estate.databases import DATABASES, POSTGRESQL_PORT
from shopsphere.estate.host_openings import KUBELET_PORT
from shopsphere.estate.site_config import API_SERVER_PORT
from shopsphere.witness.store import encoded

READ_ONLY_KUBELET, CLUSTER_STORE = 10255, (2379, 2380)


def identity(host: str, user: str) -> list[str]:
    """Return certificate and key of a user of a site's cluster, as its host has them."""
    folder = disk_directory(host) / "pki"
    return [str(folder / f"{user}.crt"), str(folder / f"{user}.key")]


def agent_elsewhere(scene: Scene, site: str) -> tuple[str, list[str]]:
    """Return a site and its agent's certificate: of the other jurisdiction, or the pair's other one if that is off."""
    found = [
        each for each in (scene.other.primary, scene.pair.other_than(site)) if Path(identity(each, "agent")[0]).exists()
    ]
    return found[0], identity(found[0], "agent")


def permit(scene: Scene) -> dict[str, Any]:
    """Return a permit that lets the recovery site take writes for ever."""
    label = {"app.kubernetes.io/managed-by": "shopsphere-break-glass"}
    told = {"pair": scene.pair.name, "epoch": 2**62, "active": scene.pair.recovery}
    named = {"name": f"shopsphere-permit-{scene.mark}", "labels": label}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": {"permit.json": json.dumps(told)}}


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what strangers try at both sites' clusters, then what the API server and the kubelet refuse."""
    for site in scene.pair.sites:
        address = scene.address(site)
        api = f"https://{address}:{API_SERVER_PORT}"
        answers = Control(
            DESK, (get(f"{api}/version", certificate=identity(site, "admin")),), r"^http 200 .*gitVersion"
        )
        maps = f"{api}/api/v1/namespaces/data-ledger/configmaps"
        token = {"headers": {"Authorization": "Bearer " + "a" * 40, "Content-Type": "application/json"}}
        yield attempt("H3", f"lay a permit down at {site}", CLIENT, [post(maps, permit(scene))], PORT, control=answers)
        yield attempt("H3", f"lay a permit down at {site}", POD, [post(maps, permit(scene))], PORT, control=answers)
        yield attempt(
            "H3",
            f"lay a permit down at {site} with a made-up token",
            HOST,
            [{**post(maps, permit(scene)), **token}],
            PORT,
            control=answers,
        )
        elsewhere, shown = agent_elsewhere(scene, site)
        yield attempt(
            "H13",
            f"read secrets of {site} with the certificate of {elsewhere}'s agent",
            HOST,
            [get(f"{api}/api/v1/secrets", certificate=shown)],
            PORT,
            control=answers,
        )
        yield from _kubelet(scene, site, address)
        yield from _at_the_api(scene, site, api, answers)


def _kubelet(scene: Scene, site: str, address: str) -> Iterator[Attempt]:
    kubelet = f"https://{address}:{KUBELET_PORT}"
    entered = f"{kubelet}/run/data-ledger/ledger-{site}-1/postgres"
    run: list[Question] = [post(entered, "cmd=id"), get(f"{kubelet}/pods"), get(f"{kubelet}/metrics")]
    known = Control(site, (get(f"{kubelet}/healthz", certificate=identity(site, "kubelet-client")),), r"^http 200 ok")
    read_only = [get(f"http://{address}:{READ_ONLY_KUBELET}/pods")]
    stores = [
        post(f"http://{address}:{port}/v3/kv/range", {"key": encoded("/"), "range_end": encoded("0")})
        for port in CLUSTER_STORE
    ]
    for place in (CLIENT, HOST):
        yield attempt("H13", f"run a program in {site}'s ledger at its kubelet", place, run, PORT, control=known)
        yield attempt("H13", f"read {site}'s pods at the kubelet's old port", place, read_only, PORT, control=known)
        yield attempt("H13", f"ask the store of {site}'s cluster", place, stores, PORT, control=known)
    yield attempt("H13", f"reach {site}'s kubelet", POD, [tcp(address, KUBELET_PORT, TLS_HELLO)], PORT, control=known)
    yield attempt(
        "H13", f"run a program in {site}'s ledger at its kubelet, on its host", site, run, STATUS, control=known
    )
    elsewhere, _ = agent_elsewhere(scene, site)
    stolen = identity(elsewhere, "kubelet-client")
    yield attempt(
        "H13",
        f"run a program in {site}'s ledger with the certificate of {elsewhere}'s API server",
        site,
        [{**each, "certificate": stolen} for each in run],
        STATUS,
        TLS,
        CLOSED,
        control=known,
    )


def _at_the_api(scene: Scene, site: str, api: str, answers: Control) -> Iterator[Attempt]:
    """Yield what the API server refuses those whom its host lets in; each has a name that logs show."""
    maps = f"{api}/api/v1/namespaces/data-ledger/configmaps"
    entered = f"{api}/api/v1/namespaces/data-ledger/pods/{scene.mark}/exec?command=id&container=postgres"
    replica: Question = {
        "url": f"{api}/apis/postgresql.cnpg.io/v1/namespaces/data-ledger/clusters/{DATABASES[1].cluster(site)}"
        f"?dryRun=All&fieldManager={scene.mark}",
        "method": "PATCH",
        "body": json.dumps({"spec": {"replica": {"primary": scene.pair.recovery}}}),
        "headers": {"Content-Type": "application/merge-patch+json"},
    }
    acts: dict[str, Question] = {
        "lay a permit down": post(f"{maps}?dryRun=All&fieldManager={scene.mark}", permit(scene)),
        "enter a database": get(entered),
        "promote a database": replica,
        "read all secrets": get(f"{api}/api/v1/secrets?labelSelector={scene.mark}"),
    }
    own, (elsewhere, foreign) = identity(site, "agent"), agent_elsewhere(scene, site)
    who: dict[str, Question] = {"nobody": {}, f"{elsewhere}'s agent": {"certificate": foreign}}
    for name, shown in who.items():
        for what, question in acts.items():
            yield attempt(
                "H3" if "permit" in what else "H13",
                f"{what} at {site} as {name}",
                DESK,
                [{**question, **shown}],
                STATUS,
                control=answers,
                trace=scene.mark,
            )
    known = Control(
        DESK,
        (get(f"{api}/apis/postgresql.cnpg.io/v1/clusters", certificate=own),),
        r"^http 200 .*postgresql.cnpg.io/v1.*items",
    )
    other_pod = f"{api}/api/v1/namespaces/shop/pods/{scene.mark}/exec?command=id"
    beyond = {
        "lay a permit down": acts["lay a permit down"],
        "read all secrets": acts["read all secrets"],
        "enter a pod of the shop": get(other_pod),
        "change the asynchronous database": {**replica, "url": replica["url"].replace("ledger", "commerce")},
    }
    for what, question in beyond.items():
        yield attempt(
            "H13",
            f"{what} at {site} as its own agent",
            DESK,
            [{**question, "certificate": own}],
            STATUS,
            control=known,
            trace=scene.mark,
        )
    yield attempt(
        "H13",
        f"promote the ledger at {site} as its own agent",
        DESK,
        [{**replica, "certificate": own}],
        STATUS,
        statuses=(403, 422),
        control=known,
        trace=scene.mark,
    )


def inside(scene: Scene) -> Iterator[Attempt]:
    """Yield what a pod of the shop itself may not reach of its own cluster, and what admission refuses."""
    site, address = scene.pair.primary, scene.active
    answers = Control(OWN_POD, (tcp(DATABASES[0].host, POSTGRESQL_PORT, POSTGRES_SSL),), r"^bytes 0 S")
    api = tcp(address, API_SERVER_PORT, TLS_HELLO)
    yield attempt("H13", f"reach {site}'s API server", OWN_POD, [api], PORT, control=answers)
    yield attempt(
        "H13", f"reach {site}'s kubelet", OWN_POD, [tcp(address, KUBELET_PORT, TLS_HELLO)], PORT, control=answers
    )
    yield attempt(
        "H13",
        f"ask the store of {site}'s cluster",
        OWN_POD,
        [tcp(address, port, "") for port in CLUSTER_STORE],
        PORT,
        control=answers,
    )
