"""Secrets tried at the doors that they open, as whoever has them would: with each one it is said what came of it.

`accepted` and `refused…` are answers of the door itself; whatever else comes says nothing of the secret.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pair import PairUnderTest
from secrets_kept import Held, running

from lab.cluster.addons import kubectl
from lab.enter import run_inside
from lab.leading import leading_pod
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.event_log import CLIENTS, client_files
from shopsphere.estate.pair_secrets import AUTHORITY, PAYMENTS_CALL_KEY, REPLICATION_USER
from shopsphere.estate.renewal import (
    CALL_KEY,
    DATABASE_CERTIFICATES,
    EVENT_LOG_CERTIFICATES,
    OWNER_PASSWORDS,
    SERVICE_PASSWORDS,
    SESSION_KEYS,
)

HERE = Path(__file__).resolve().parent
ACCEPTED, REFUSED = "accepted", "refused"
LOGIN = """
read -r PGPASSWORD
export PGPASSWORD
psql -XAtw "host=127.0.0.1 user=$1 dbname=$2 sslmode=require connect_timeout=8" -c "select 'accepted'" 2>&1
true
"""
SEALED_CALLS = """
import http.client, json, os, sys
from urllib.parse import urlsplit
from app.sealed_calls import KEY, Question, Seals
url = urlsplit(os.environ["PAYMENTS_URL"])
path, found = "/v1/payments/by-key/rotation-none", []
for key in json.loads(sys.stdin.read()):
    asking = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=8)
    question = Question("GET", path, "", "rotation-none", b"")
    asking.request("GET", path, headers={**Seals(key).headers(question), KEY: "rotation-none"})
    found.append(asking.getresponse().status)
print(json.dumps(found))
"""
REPEATED = 4
"""Calls with one key: the service has several pods, each of which has to know."""
STATUSES = {404: ACCEPTED, 401: REFUSED}
"""Of a sealed call about a payment that is none: a right seal is answered, a wrong one is not."""


def passwords(*, owner: bool) -> Callable[[PairUnderTest, Held], dict[str, str]]:
    """Return what logs in to each database of the active site, at the instance that leads, through its own network."""

    def tried(pair: PairUnderTest, secrets: Held) -> dict[str, str]:
        site, found = pair.record().active, {}
        for each in DATABASES:
            services = {each.login_password(login.name): login.role for login in each.logins}
            pod, namespace = leading_pod(site, each.name), each.namespace.name
            inside = ["exec", "-i", "-n", namespace, pod, "-c", "postgres", "--"]
            for name, login in ({f"{each.name}Password": each.name} if owner else services).items():
                program = ["sh", "-c", LOGIN, "sh", login, each.name]
                found[name] = of_login(kubectl(site, *inside, *program, stdin=f"{secrets[name]}\n"))
        return found

    return tried


def of_login(said: str) -> str:
    """Return what psql's words say of a password."""
    words = " ".join(said.split())
    if words == ACCEPTED:
        return ACCEPTED
    return f"{REFUSED}: {words}" if "password authentication failed" in words else f"unknown: {words}"


def call_key(pair: PairUnderTest, secrets: Held) -> dict[str, str]:
    """Ask the payments service of the active site from a pod of the shop."""
    site = pair.record().active
    pod = running(site, "shop")[0]
    words = ["exec", "-i", "-n", "shop", pod, "-c", "shop", "--", "/usr/bin/python3.11", "-c", SEALED_CALLS]
    said = kubectl(site, *words, stdin=json.dumps([secrets[PAYMENTS_CALL_KEY]] * REPEATED))
    return {PAYMENTS_CALL_KEY: of_statuses(json.loads(said.strip().splitlines()[-1]))}


def of_statuses(statuses: list[int]) -> str:
    """Return what the answers of several pods say of a key; they have to agree."""
    said = {STATUSES.get(each, f"unknown: HTTP {each}") for each in statuses}
    return said.pop() if len(said) == 1 else f"unknown: pods disagree, {statuses}"


def certificates(pair: PairUnderTest, secrets: Held) -> dict[str, str]:
    """Begin replication from the site that is not active: with these certificates, believing this authority."""
    active = pair.record().active
    questions = [
        {
            "address": pair.address(active), "port": each.replication_port, "user": REPLICATION_USER,
            "authority": secrets[AUTHORITY], "certificate": secrets["replicationCertificate"],
            "key": secrets["replicationKey"],
        }
        for each in DATABASES
    ]  # fmt: skip
    command = ["python3", str(HERE / "tls_tried.py")]  # nothing but Python is needed
    answers = json.loads(run_inside(pair.other(active), command, stdin=json.dumps(questions), seconds=90).stdout)
    return {f"replication of {each.name}": said for each, said in zip(DATABASES, answers, strict=True)}


def event_log(pair: PairUnderTest, secrets: Held) -> dict[str, str]:
    """Ask the broker of the active site which versions it speaks, as each of its clients, from the pod of that one."""
    site, found = pair.record().active, {}
    program = (HERE / "broker_tried.py").read_text()
    for client in CLIENTS:
        given = {file: secrets[name] for file, name in client_files(client).items()}
        pod = running(site, client.name)[0]
        words = ["exec", "-i", "-n", client.name, pod, "-c", client.name, "--", "/usr/bin/python3.11", "-c", program]
        found[f"the broker's client {client.name}"] = kubectl(site, *words, stdin=json.dumps(given)).strip()
    return found


def mixed_certificates(pair: PairUnderTest, old: Held, new: Held) -> dict[str, str]:
    """Show the old certificate to a server whose new one is believed: it is the server that has to refuse it."""
    own = {AUTHORITY: new[AUTHORITY]}
    shown = {name: old[name] for name in ("replicationCertificate", "replicationKey")}
    return {f"{what}, old certificate": said for what, said in certificates(pair, {**own, **shown}).items()}


def nothing(_pair: PairUnderTest, _secrets: Held) -> dict[str, str]:
    """Session keys open no door by themselves: a customer with a cookie of before is asked."""
    return {}


TRIED: Mapping[str, Callable[[PairUnderTest, Held], dict[str, str]]] = {
    SESSION_KEYS.name: nothing,
    CALL_KEY.name: call_key,
    SERVICE_PASSWORDS.name: passwords(owner=False),
    OWNER_PASSWORDS.name: passwords(owner=True),
    DATABASE_CERTIFICATES.name: certificates,
    EVENT_LOG_CERTIFICATES.name: event_log,
}


class Visitor:
    """A customer with a cart, at the pair's client host."""

    def __init__(self, host: str) -> None:
        self._command = [sys.executable, str(HERE / "visitor.py")]
        self._host, self._cookies = host, dict[str, str]()

    def comes(self) -> str:
        """Fill a cart, and the next time look whether it is there; returns what came of it."""
        done = run_inside(self._host, self._command, stdin=json.dumps(self._cookies), seconds=240)
        found = json.loads(done.stdout)
        self._cookies = self._cookies or found["cookies"]
        return str(found["said"])


def wrong(said: Mapping[str, str], *, wanted: str, which: str) -> list[str]:
    """Return every answer that is not the one that is wanted; one that says nothing of the secret is none."""
    others = {name: each for name, each in said.items() if not each.startswith(wanted)}
    return [f"{which} secret not {wanted}: {name}: {each}" for name, each in others.items()]
