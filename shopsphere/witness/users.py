"""Who may do what at a pair's witness: its keys, and the users with the parts of it that each may read or change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shopsphere.topology import Pair

ROOT = "root"
"""Sets users and roles, and looks after the store; used by `shopsphere witness secure` and `tend` alone."""
OPERATOR = "operator"
"""Moves the pair: runbooks. The role of all operators, and the user of those who share one key."""
WATCHER = "watcher"
"""Looks, and changes nothing: `status`, `ready`, `watch`, `drift`, `doctor`."""


def agent_user(site: str) -> str:
    """Return the user of a site's agent."""
    return f"agent-{site}"


_NAMED = f"{OPERATOR}-"
_NAME = re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MOST_LETTERS = 32
_URI = "shopsphere:operator:"


def operator_user(name: str) -> str:
    """Return the user of one operator, a person or a machine.

    Raises:
        ValueError: it is no name for one: small letters, digits and single hyphens, at most 32.
    """
    if not _is_name(name):
        raise ValueError(f"{name[:80]!r} is no name of an operator: small letters, digits, hyphens between them")
    return f"{_NAMED}{name}"


def is_operator(user: str) -> bool:
    """Whether a user moves the pair: an operator with a key of his own, or those who share one."""
    return user == OPERATOR or user.startswith(_NAMED)


def role_of(user: str) -> str:
    """Return the role of a user, which is also the organisation in his certificate.

    So versions that know no single operators believe what one of them signs.
    """
    return OPERATOR if is_operator(user) else user


def certificate_names(user: str) -> tuple[str, ...]:
    """Return what a user's certificate names beside its subject: of an operator with a key of his own, who he is."""
    return (_URI + user.removeprefix(_NAMED),) if user.startswith(_NAMED) else ()


def operator_named(names: Iterable[str]) -> str:
    """Return the user whom the names in an operator's certificate say; empty where they say something else."""
    found = tuple(names)
    if not found:
        return OPERATOR
    before, _, name = found[0].rpartition(":")
    is_one = len(found) == 1 and f"{before}:" == _URI and _is_name(name)
    return operator_user(name) if is_one else ""


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and len(name) <= _MOST_LETTERS


class Right(StrEnum):
    """What etcd calls a permission's type."""

    READ = "READ"
    CHANGE = "READWRITE"


@dataclass(frozen=True)
class PairKeys:
    """The keys of one pair.

    Attributes:
        all: what they all begin with.
        record: the pair's record.
        lease: of the site that may take writes.
        nodes: what the keys begin with of nodes whose databases are, or were just now, open for writes.
        runbook: the operators' lock.
        rotation: the lock of whoever renews the pair's secrets, which keeps nobody from moving it.
        audit: what the heads of audit logs begin with.
        withdrawn: which operators have left.
    """

    all: str
    record: str
    lease: str
    nodes: str
    runbook: str
    rotation: str
    audit: str
    withdrawn: str

    def nodes_of(self, site: str) -> str:
        """Return what the keys of a site's nodes begin with."""
        return f"{self.nodes}{site}/"

    @classmethod
    def of(cls, pair: str) -> PairKeys:
        """Return the keys of a pair."""
        start = f"/shopsphere/{pair}/"
        names = ("record", "lease", "nodes/", "runbook", "rotation", "audit/", "withdrawn")
        return cls(start, *(f"{start}{name}" for name in names))


Rights = Mapping[str, Right]
"""Rights by key; one that ends in a slash stands for all keys that begin with it."""


def users_of(pair: Pair, operators: Iterable[str] = (OPERATOR,)) -> Mapping[str, Rights]:
    """Return the users of a pair's witness beside root, and the rights of each; nobody has a right that is not here.

    Args:
        pair: the pair.
        operators: users who move it; by default the one whom all operators share.
    """
    keys = PairKeys.of(pair.name)
    reads: Rights = {keys.all: Right.READ}
    agent = {**reads, keys.record: Right.CHANGE, keys.lease: Right.CHANGE}
    moves = {**reads, **dict.fromkeys((keys.record, keys.runbook, keys.rotation, keys.audit), Right.CHANGE)}
    return {
        **dict.fromkeys(operators, moves),
        WATCHER: reads,
        **{agent_user(site): {**agent, keys.nodes_of(site): Right.CHANGE} for site in pair.sites},
    }
