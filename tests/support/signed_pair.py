"""A pair's witness in memory whose record is signed, with real keys; and whoever may write anything there."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ObjectIdentifier
from manual_clock import ManualClock
from present import present
from small_etcd import Line, SmallEtcd

from shopsphere.foundation.certificates import certificate_builder
from shopsphere.foundation.signing import sign
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Witness
from shopsphere.witness.belief import Belief, Remembered
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import make_keys
from shopsphere.witness.signing_anew import SigningWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.store import Store, put
from shopsphere.witness.users import OPERATOR, ROOT, WATCHER, agent_user, users_of

URLS = ("http://10.0.0.1:1",)
RECORD = "/shopsphere/rdc-a/record"
FRANKFURT, DUBLIN = agent_user("frankfurt"), agent_user("dublin")
RECORD_KIND, DECISION_KIND = "shopsphere pair record 1", "shopsphere pair decision 1"
Words = dict[str, Any]


def keys_in(folder: Path, pair: str = "rdc-a") -> Path:
    """Make all keys of a witness: no two folders have the same authority."""
    users = (ROOT, *users_of(load_topology().pair(pair)))
    make_keys(folder, pair, {"newyork": ("10.99.0.40",)}, users)
    return folder


@cache
def _made() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    kept = tempfile.TemporaryDirectory(prefix="signed-pair-")
    return kept, keys_in(Path(kept.name) / "keys")


def canonical(words: Mapping[str, Any]) -> str:
    return json.dumps(words, sort_keys=True, separators=(",", ":"))


class SignedPair:
    """The witness, and what its readers know."""

    def __init__(self, base: Path) -> None:
        self.base, self.keys = base, base / "keys"
        shutil.copytree(_made()[1], self.keys)  # made once: they take a third of a second
        self.clock, self.later = ManualClock(1000.0), timedelta()
        self.etcd = SmallEtcd(self.clock)
        self.line = Line(self.etcd)

    def today(self) -> datetime:
        return datetime.now(UTC) + self.later

    def belief(
        self, user: str, *, demanded: bool = False, remembered: Remembered | None = None, keys: Path | None = None
    ) -> Belief:
        identity = Identity(keys or self.keys, user)
        return Belief("rdc-a", identity, demanded=demanded, remembered=remembered, clock=self.clock, today=self.today)

    def witness(
        self,
        user: str = WATCHER,
        *,
        demanded: bool = True,
        transport: httpx.BaseTransport | None = None,
        **known: Any,
    ) -> Witness:
        """One who asks as this user; an agent restores what the voters have lost."""
        identity, belief = Identity(known.get("keys") or self.keys, user), self.belief(user, demanded=demanded, **known)
        kind = partial(SiteWitness, site=user.removeprefix("agent-")) if user.startswith("agent-") else Witness
        return kind("rdc-a", URLS, identity, belief=belief, transport=transport or self.line.transport)

    def first(self) -> Witness:
        """The pair is new: the agent of Frankfurt writes its first record; returns how it asks."""
        agent = self.witness(FRANKFURT)
        agent.change(agent.see(), PairRecord.first("rdc-a", "frankfurt", actor="agent of frankfurt"))
        return agent

    def move(self, to: str, user: str = OPERATOR, **values: Any) -> PairRecord:
        """An operator begins the next epoch."""
        operator = self.witness(user)
        seen = operator.see()
        record = present(seen.record)
        values = {"epoch": record.epoch + 1, "active": to, **values}
        return present(operator.change(seen, record.changed(actor="anna", reason="flood", **values)).record)

    def text(self) -> str:
        """What the voters hold."""
        return self.etcd.entries[RECORD.encode()][0].decode()

    def words(self) -> Words:
        found: Words = json.loads(self.text())
        return found

    def write(self, text: str) -> None:
        """Write as root of the voters' hosts would: anything."""
        store = Store(URLS, transport=self.line.transport)
        store.swap([], [put(RECORD, text)], RECORD)
        store.close()

    def forge(self, by: str = "", keys: Path | None = None, **values: Any) -> str:
        """Return the record with other values, signed anew by whoever has these keys; as it was without a signer."""
        words = {**self.words(), **values}
        if not by:
            return canonical(words)
        words["serial"] = values.get("serial", words["serial"] + 1)
        del words["signature"]
        return canonical({**words, "signature": signed(keys or self.keys, by, RECORD_KIND, canonical(words))})

    def decision(self, by: str, keys: Path | None = None, **values: Any) -> Words:
        """Return the word of whoever has these keys that an epoch is a site's."""
        said = {"pair": "rdc-a", "actor": "eve", "at": "2027-03-01T04:05:06Z", **values}
        return {"text": canonical(said), "signature": signed(keys or self.keys, by, DECISION_KIND, canonical(said))}


def signs(pair: SignedPair, *, demanded: bool = False) -> SigningWitness:
    """An operator who signs by hand."""
    belief = pair.belief(OPERATOR, demanded=demanded)
    return SigningWitness("rdc-a", URLS, Identity(pair.keys, OPERATOR), belief=belief, transport=pair.line.transport)


def signed(keys: Path, by: str, kind: str, content: str) -> Words:
    found: Words = sign(keys / f"{by}.crt", keys / f"{by}.key", kind, content).model_dump(mode="json")
    return found


def long_lived(keys: Path, folder: Path, user: str, names: Mapping[ObjectIdentifier, str]) -> None:
    """Make a certificate by hand, with its key, that lasts as long as the authority, and has any names."""
    authority = x509.load_pem_x509_certificate((keys / "ca.crt").read_bytes())
    signer = serialization.load_pem_private_key((keys / "ca.key").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in names.items()])
    key, ends = ec.generate_private_key(ec.SECP256R1()), authority.not_valid_after_utc
    builder = certificate_builder(subject, authority.subject, key.public_key(), authority.not_valid_before_utc, ends)
    folder.mkdir(exist_ok=True)
    made = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / f"{user}.crt").write_bytes(made)
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / f"{user}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))


def flipped(text: str) -> str:
    """Return base64 with one bit of its last byte changed."""
    data = bytearray(base64.b64decode(text))
    data[-1] ^= 1
    return base64.b64encode(bytes(data)).decode()
