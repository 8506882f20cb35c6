"""How secrets of a pair are renewed: which there are, and what both stacks hold at each step of the way.

Old and new are believed everywhere before anybody uses the new one, and the old one goes when nobody uses it any more.
So whatever stops a rotation, at whichever step: both sites understand each other, and so does a site that is promoted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from shopsphere.estate.event_log import EVENT_LOG_SECRET_NAMES
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.estate.pair_secrets import (
    AUTHORITY,
    CERTIFICATE_NAMES,
    OWNER_PASSWORD_NAMES,
    PAYMENTS_CALL_KEY,
    SERVICE_PASSWORD_NAMES,
    SESSION_SECRET,
    generate_certificates,
    new_key,
    new_password,
    other_name,
)
from shopsphere.topology import Pair, Topology

Secrets = Mapping[str, str]
"""Values by their names in a stack's configuration."""


class Stage(IntEnum):
    """How far the secrets of a kind are; a later one is larger.

    `old`: nothing was begun. `believed`: the old one is used and both are believed. `used`: the new one is used and
    both are believed. `alone`: nothing of the old one is left.
    """

    OLD = 0
    BELIEVED = 1
    USED = 2
    ALONE = 3


@dataclass(frozen=True)
class SecretKind:
    """Secrets that are renewed together.

    Attributes:
        name: as `--only` takes it.
        title: what they are for.
        names: their keys in a stack's configuration.
        stages: through which they go.
        make: makes new ones.
        overlap: what an operator reads about the time in which two are believed.
        optional: whether a pair may be without them.
    """

    name: str
    title: str
    names: tuple[str, ...]
    stages: tuple[Stage, ...]
    make: Callable[[Topology, Pair], dict[str, str]]
    overlap: str
    optional: bool = False

    @property
    def keeps_other(self) -> bool:
        """Whether the stacks hold old and new beside each other for a while."""
        return Stage.BELIEVED in self.stages

    def is_of(self, values: Secrets) -> bool:
        """Whether a pair whose stack holds these values has secrets of this kind; it may be without optional ones."""
        return not self.optional or any(name in values for name in self.names)

    def layout(self, stage: Stage, old: Secrets, new: Secrets) -> dict[str, str | None]:
        """Return what a stack holds at a stage; None for a key that is not there.

        Args:
            stage: one of this kind's.
            old: by `names`.
            new: by `names`.
        """
        wanted: dict[str, str | None] = {}
        for name in self.names:
            used, other = (old[name], new[name]) if stage < Stage.USED else (new[name], old[name])
            if name == AUTHORITY and stage in {Stage.BELIEVED, Stage.USED}:
                used, other = bundle(old[name], new[name]), new[name]
            wanted[name] = used
            if self.keeps_other:
                wanted[other_name(name)] = other if stage in {Stage.BELIEVED, Stage.USED} else None
        return wanted

    def complete(self, values: Secrets) -> dict[str, str]:
        """Return values by `names`; empty texts for those that are nowhere any more."""
        return {name: values.get(name, "") for name in self.names}

    def fingerprints(self, values: Secrets) -> dict[str, str]:
        """Return what the journal keeps in place of each secret."""
        return {name: fingerprint(values[name]) for name in self.names}


def bundle(*certificates: str) -> str:
    """Return certificates as one file, each of which is believed."""
    return "".join(f"{each.strip()}\n" for each in certificates)


def fingerprint(value: str) -> str:
    """Return what tells a secret from others, and says nothing of it: they have 190 random bits or more."""
    return hashlib.sha256(value.strip().encode()).hexdigest()[:32]


def is_same(value: str | None, wanted: str | None) -> bool:
    """Whether two values are one secret, or neither is there; space around them is none of it."""
    if value is None or wanted is None:
        return value is wanted
    return value.strip() == wanted.strip()


def _passwords(names: tuple[str, ...]) -> Callable[[Topology, Pair], dict[str, str]]:
    return lambda _topology, _pair: {name: new_password() for name in names}


def _key(name: str) -> Callable[[Topology, Pair], dict[str, str]]:
    return lambda _topology, _pair: {name: new_key()}


_WHOLE_WAY = (Stage.BELIEVED, Stage.USED, Stage.ALONE)
SESSION_KEYS = SecretKind(
    "session-keys", "cookies of customers", (SESSION_SECRET,), (Stage.BELIEVED, Stage.USED), _key(SESSION_SECRET),
    "the old key is believed until the next rotation: cookies live as long as sessions do",
)  # fmt: skip
CALL_KEY = SecretKind(
    "call-key", "shop and payments service know each other", (PAYMENTS_CALL_KEY,), _WHOLE_WAY, _key(PAYMENTS_CALL_KEY),
    "both services believe both keys",
)  # fmt: skip
SERVICE_PASSWORDS = SecretKind(
    "service-passwords", "services log in to their databases", SERVICE_PASSWORD_NAMES, _WHOLE_WAY,
    _passwords(SERVICE_PASSWORD_NAMES), "a pod that is refused with one password tries the other one",
)  # fmt: skip
OWNER_PASSWORDS = SecretKind(
    "owner-passwords", "migrations log in to databases", OWNER_PASSWORD_NAMES, (Stage.USED,),
    _passwords(OWNER_PASSWORD_NAMES), "none: a migration that is refused is started again with what is then there",
)  # fmt: skip
DATABASE_CERTIFICATES = SecretKind(
    "database-certificates", "authority and certificates of databases and replication",
    (AUTHORITY, *CERTIFICATE_NAMES), _WHOLE_WAY, lambda topology, pair: generate_certificates(topology, pair),
    "two authorities are believed",
)  # fmt: skip
EVENT_LOG_CERTIFICATES = SecretKind(
    "event-log-certificates", "authority and certificates of each site's broker and its clients",
    EVENT_LOG_SECRET_NAMES, (Stage.USED,), lambda _topology, pair: generate_event_log_secrets(pair.name),
    "none: browsers keep their clicks for the seconds in which a site's broker and its clients begin anew",
    optional=True,
)  # fmt: skip
_ALL = (SESSION_KEYS, CALL_KEY, SERVICE_PASSWORDS, OWNER_PASSWORDS, DATABASE_CERTIFICATES, EVENT_LOG_CERTIFICATES)
KINDS = {each.name: each for each in _ALL}
"""In the order in which a rotation of all goes through them: what customers would notice first is tried first."""


def kinds_through(stage: Stage) -> frozenset[str]:
    """Return the names of the kinds that go through a stage."""
    return frozenset(name for name, kind in KINDS.items() if stage in kind.stages)


NOT_RENEWED = {
    "gateway-certificate": "`shopsphere lab up` issues the lab's, a site's own authority an owner's; `up` brings it",
    "witness-keys": "`shopsphere witness keys` issues them (docs/witness.md)",
    "edge-keys": "`shopsphere edge-door keys` issues them (docs/edge.md)",
    "archive-accounts": "they are made where the archive is run; new values go into the stacks, then `up`",
    "archive-recipients": "a new one needs the old private key for as long as its backups are kept (docs/backups.md)",
    "provider-api-key": "the payment provider issues it; `pulumi config set --secret shopsphere:pspApiKey`, then `up`",
    "dnssec-keys": "`shopsphere zone roll` replaces the key that signs the public zone (docs/zone-keys.md)",
    "cluster-certificates": "whoever runs the clusters; in the lab `shopsphere lab up`",
}
"""What else is secret, and which a rotation refuses by name, with what renews it instead."""
