"""What a PostgreSQL server holds beside its data: roles, rights, code, ways in and ways out, as plain facts.

Everything is read as the instance's administrator inside its pod, in one run of psql that goes from database to
database. The search path is fixed: whoever owns a database could put operators of their own in the way of a catalog's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.questions import ADMINISTRATION, CONTAINER, END, MOST, SECONDS, TEMPLATE, inventory_command

LONGEST = 4_000_000
"""Characters of an answer that are read: ten times what the larger one of the two databases has."""
_LONGEST_VERSION = 80


@dataclass(frozen=True, order=True)
class Fact:
    """One thing that is so.

    Attributes:
        object: as in `role payments_app`, or `table ledger.entry`.
        field: of the object; empty for its being there.
        value: in one line.
    """

    object: str
    field: str
    value: str


@dataclass(frozen=True)
class Sender:
    """A connection over which this server sends its log.

    Attributes:
        application: as its client calls itself.
        user: role that it logged in as.
        address: where it comes from; empty for a socket of the host.
    """

    application: str
    user: str
    address: str


@dataclass(frozen=True)
class State:
    """What depends on the role of the server's site.

    Attributes:
        in_recovery: it only follows.
        synchronous: `synchronous_standby_names`, as it stands.
        source: `host=` of `primary_conninfo`; empty where it has none.
        source_tls: `sslmode=` of the same.
        senders: who receives the log.
    """

    in_recovery: bool
    synchronous: str
    source: str
    source_tls: str
    senders: tuple[Sender, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """All of one server.

    Attributes:
        state: what depends on the role.
        server: facts that hold for all of it.
        rules: the lines of pg_hba.conf in their order.
        databases: facts of each database that was looked into, by name.
        version: of the schema in the last of them, as the application's migrations number it; empty for none.
    """

    state: State
    server: tuple[Fact, ...] = ()
    rules: tuple[str, ...] = ()
    databases: dict[str, tuple[Fact, ...]] = field(default_factory=dict)
    version: str = ""


def take_inventory(cluster: Cluster, namespace: str, pod: str, database: str) -> Inventory:
    """Return all facts of an instance: of the server, of `database`, and of the two that every server has.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    names = (ADMINISTRATION, TEMPLATE, database)
    about = f"{cluster.context}: {namespace}/{pod}"
    command = inventory_command(names)
    output = cluster.execute(namespace, pod, CONTAINER, command, extra_seconds=SECONDS, heard=_limit(about))
    return read_inventory(output, names, about)


def _limit(about: str) -> Callable[[str], None]:
    """Return what hears the answer and stops one that does not end."""
    heard = 0

    def hear(piece: str) -> None:
        nonlocal heard
        heard += len(piece)
        if heard > LONGEST:
            raise UnreadableAnswerError(f"{about} answered with more than {LONGEST} characters")

    return hear


def read_inventory(output: str, names: Sequence[str], about: str) -> Inventory:
    """Return what the program printed; `about` says which instance.

    Raises:
        UnreadableAnswerError: it is no such answer, or holds more than anybody would look through.
    """
    try:
        lines = [line for line in output.split("\n") if line.strip()]  # a name may hold other separators
        end = lines.index(END)
        state, server, *databases = [json.loads(line) for line in lines[: 2 + len(names)]]
        facts = [_facts(each) for each in (server, *databases)]
        found = Inventory(
            _state(state),
            facts[0],
            tuple(_with_prefix(each) for each in state["rules"]),
            dict(zip(names, facts[1:], strict=True)),
            " ".join(lines[2 + len(names) : end])[:_LONGEST_VERSION],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableAnswerError(f"{about} answered {output[:80]!r}") from error
    if any(len(each) > MOST for each in facts):
        raise UnreadableAnswerError(f"{about} has more than {MOST} roles, rights and objects in one database")
    return found


def _facts(rows: Sequence[Sequence[str]]) -> tuple[Fact, ...]:
    return tuple(sorted(Fact(object_, field_, value) for object_, field_, value in rows))


def _with_prefix(rule: str) -> str:
    """Return a line of pg_hba.conf with its netmask as a prefix, as people write it; none for a single address."""

    def prefix(found: re.Match[str]) -> str:
        mask = ip_address(found[1])
        bits = int(mask).bit_count()
        return "" if bits == mask.max_prefixlen else f"/{bits}"

    return re.sub(r"/((?:\d+\.){3}\d+|[0-9a-f]*:[0-9a-f:]*)(?= )", prefix, rule)


def _state(told: dict[str, object]) -> State:
    senders = told["senders"]
    if not isinstance(senders, list) or not isinstance(told["in_recovery"], bool):
        raise TypeError("no state")
    return State(
        told["in_recovery"],
        str(told["synchronous"]),
        str(told["source"]),
        str(told["source_tls"]),
        tuple(Sender(each["application"], each["user"], each["address"]) for each in senders),
    )
