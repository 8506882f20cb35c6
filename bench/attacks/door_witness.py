"""The witness of a pair: its voters' ports for clients and for each other (C1)."""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from attacked import Scene
from attempt import (
    CLIENT,
    CLOSED,
    DESK,
    HOST,
    POD,
    PORT,
    STATUS,
    TLS,
    WORDS,
    Attempt,
    Control,
    Question,
    attempt,
    get,
    post,
)

from lab.paths import witness_keys_folder
from shopsphere.estate.witness_seats import client_urls, ports, seats
from shopsphere.witness.keys import make_keys, voter_files
from shopsphere.witness.store import encoded
from shopsphere.witness.users import OPERATOR, ROOT, PairKeys

FILLING = 41
"""Writes of 1.5 MB that are more than the store's quota."""


def certificate_of(pair: str, user: str) -> list[str]:
    """Return certificate and key of a user of a pair's witness."""
    folder = witness_keys_folder(pair)
    return [str(folder / f"{user}.crt"), str(folder / f"{user}.key")]


@cache
def _keys_elsewhere(folder: Path, pair: str) -> Path:
    """Return the folder of another pair's keys; where that pair was never started, keys of such a pair are made."""
    if (folder / f"{OPERATOR}.crt").exists():
        return folder
    made = Path(mkdtemp(prefix="attacks-keys-"))
    atexit.register(rmtree, made, ignore_errors=True)
    make_keys(made, pair, {"elsewhere": ("10.99.80.10",)}, (ROOT, OPERATOR))
    return made


def certificate_elsewhere(pair: str, name: str = OPERATOR) -> list[str]:
    """Return certificate and key of a user of another pair's witness, or with `peer-…` of a voter there."""
    folder = _keys_elsewhere(witness_keys_folder(pair), pair)
    found = sorted(folder.glob(f"{name}.crt"))[0]
    return [str(found), str(found.with_suffix(".key"))]


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what strangers try at the voters, and what those try whom the hosts let in."""
    pair = scene.pair
    voters = client_urls(pair, scene.topology)
    own = certificate_of(pair.name, "operator")
    healthy = Control(DESK, tuple(get(f"{each}/health", certificate=own) for each in voters), r'^http 200 .*"true"')
    foreign = certificate_elsewhere(scene.other.name)
    keys = PairKeys.of(pair.name)
    record = {"key": encoded(keys.record), "value": encoded(json.dumps({"epoch": 2, "active": pair.recovery}))}
    plain = [each.replace("https://", "http://") for each in voters]
    # A seat of the attacker's own site is not his to attack, and proves nothing: he is root there.
    far = [each for each in voters if f"//{scene.address(scene.other.primary)}:" not in each]
    of_strangers: list[tuple[str, list[Question]]] = [
        ("write the record over http", [post(f"{each}/v3/kv/put", record) for each in plain]),
        ("write the record without a certificate", [post(f"{each}/v3/kv/put", record) for each in voters]),
        ("read the record", [post(f"{each}/v3/kv/range", {"key": encoded(keys.record)}) for each in voters]),
        ("write garbage", [post(f"{each}/v3/kv/put", {**record, "value": encoded("{{{")}) for each in voters]),
        ("list and end leases", [post(f"{each}/v3/lease/leases", {}) for each in voters]),
    ]
    for what, questions in of_strangers:
        yield attempt("C1", what, CLIENT, questions, PORT, control=healthy)
    yield attempt("C1", "write the record", POD, of_strangers[1][1], PORT, control=healthy)
    for user in ("operator", "root"):
        stolen = certificate_elsewhere(scene.other.name, user)
        questions = [post(f"{each}/v3/kv/put", record, certificate=stolen) for each in far]
        yield attempt(
            "C1", f"write the record as {scene.other.name}'s {user}", HOST, questions, PORT, TLS, control=healthy
        )
    filling = {"key": encoded(f"{keys.all}filling"), "value": encoded("x" * 1_500_000)}
    yield attempt(
        "C1",
        f"fill the store with {FILLING} writes",
        HOST,
        [post(f"{far[0]}/v3/kv/put", filling)] * FILLING,
        PORT,
        control=healthy,
    )
    seat = {"peerURLs": ["https://10.99.80.10:2380"]}
    yield attempt(
        "C1", "take a seat", HOST, [post(f"{each}/v3/cluster/member/add", seat) for each in far], PORT, control=healthy
    )
    yield from _among_voters(scene, foreign)
    yield from _behind_the_firewall(scene, healthy, record, foreign)


def _among_voters(scene: Scene, foreign: list[str]) -> Iterator[Attempt]:
    """Yield attempts at the ports among voters, with no certificate, another pair's and a user's."""
    pair, topology = scene.pair, scene.topology
    own_seats, port = seats(pair, topology), ports(pair, topology)[1]
    far = [each for each in own_seats if each != scene.other.primary]
    urls = [f"https://{scene.address(each)}:{port}/members" for each in far]
    # A voter asks another one, with the certificate of voters that its host has.
    asking = next(each for each in own_seats if each != far[0])
    _, _, _, _, *peer, _, _ = voter_files(witness_keys_folder(pair.name), asking)
    among = Control(asking, (get(urls[0], certificate=[str(each) for each in peer]),), r"^http 200 ")
    for place in (CLIENT, HOST):
        yield attempt(
            "C1",
            "list the members at the peer port",
            place,
            [get(each) for each in urls],
            PORT,
            TLS,
            CLOSED,
            control=among,
        )
    other_peer = certificate_elsewhere(scene.other.name, "peer-*")
    certificates = {
        "a voter of another pair": other_peer,
        f"{scene.other.name}'s operator": foreign,
        "a user of this pair": certificate_of(pair.name, "watcher"),
    }
    inside = next(each for each in own_seats if each != far[0])
    for who, shown in certificates.items():
        yield attempt(
            "C1",
            f"speak among voters with the certificate of {who}",
            inside,
            [get(urls[0], certificate=shown)],
            TLS,
            CLOSED,
            control=among,
        )
    yield attempt("C1", "speak among voters without a certificate", inside, [get(urls[0])], TLS, CLOSED, control=among)


def _behind_the_firewall(
    scene: Scene, healthy: Control, record: dict[str, str], foreign: list[str]
) -> Iterator[Attempt]:
    """Yield what the voters themselves refuse: asked from where their hosts let operators in."""
    pair = scene.pair
    voters = client_urls(pair, scene.topology)
    yield attempt(
        "C1",
        "write the record over http",
        DESK,
        [post(f"{each.replace('https', 'http')}/v3/kv/put", record) for each in voters],
        CLOSED,
        STATUS,
        statuses=(400,),
        control=healthy,
    )
    yield attempt(
        "C1",
        "write the record without a certificate",
        DESK,
        [post(f"{each}/v3/kv/put", record) for each in voters],
        TLS,
        CLOSED,
        control=healthy,
    )
    yield attempt(
        "C1",
        f"write the record as {scene.other.name}'s operator",
        DESK,
        [post(f"{each}/v3/kv/put", record, certificate=foreign) for each in voters],
        TLS,
        CLOSED,
        control=healthy,
    )
    shown = certificate_of(pair.name, "watcher")
    password = (witness_keys_folder(pair.name) / "watcher.password").read_text().strip()
    voter = voters[0]
    sign_in = post(f"{voter}/v3/auth/authenticate", {"name": "watcher", "password": password}, certificate=shown)
    reading = Control(
        DESK,
        (post(f"{voter}/v3/kv/range", {"key": record["key"]}, certificate=shown, first=sign_in),),
        r"^http 200 .*kvs",
    )
    acts = {
        "write the record": ("kv/put", record),
        "take a seat": ("cluster/member/add", {"peerURLs": ["https://10.99.80.10:1"]}),
        "make a user": ("auth/user/add", {"name": scene.mark, "password": "x"}),
    }
    for what, (path, body) in acts.items():
        yield attempt(
            "C1",
            f"{what} as this pair's own watcher",
            DESK,
            [post(f"{voter}/v3/{path}", body, certificate=shown, first=sign_in)],
            STATUS,
            statuses=(403,),
            control=reading,
        )
    yield attempt(
        "C1",
        "write the record with a user's certificate and no token",
        DESK,
        [post(f"{each}/v3/kv/put", record, certificate=shown) for each in voters],
        WORDS,
        words="user name is empty|permission denied|invalid auth token",
        control=healthy,
    )
    wrong = {"name": "root", "password": "root"}
    yield attempt(
        "C1",
        "ask for a token as root with a guessed password",
        DESK,
        [post(f"{voter}/v3/auth/authenticate", wrong, certificate=shown)],
        WORDS,
        words="authentication failed",
        control=healthy,
    )
