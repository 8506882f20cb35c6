"""What a PostgreSQL server holds beside its data: roles, rights, code, ways in and ways out, as plain facts.

Everything is read as the instance's administrator inside its pod, in one run of psql that goes from database to
database. The search path is fixed: whoever owns a database could put operators of their own in the way of a catalog's.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.postgres import CONTAINER

SECONDS = 8
"""Bound on each statement (s)."""
MOST = 4000
"""Facts of one database that are read; who has more hides something among them, or is another application."""
ADMINISTRATION = "postgres"
"""The database that every server has for its administrator."""
TEMPLATE = "template1"
"""The database that new ones are copied from."""
VERSION_TABLE = "public.alembic_version"
"""Where the application's migrations say how far they came."""
LONGEST = 4_000_000
"""Characters of an answer that are read: ten times what the larger one of the two databases has."""
_STATEMENTS = Path(__file__).with_name("inventory")
_END = "the end"
_LONGEST_VERSION = 80
_PSQL = ("psql", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet", "--set", "ON_ERROR_STOP=1")


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
    output = cluster.execute(namespace, pod, CONTAINER, command(names), extra_seconds=SECONDS, heard=_limit(about))
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


def command(names: Sequence[str]) -> list[str]:
    """Return the program that asks a server, and then each of these databases.

    A shell hands each statement on as often as it is asked: all of it travels in the address of a request.
    """
    options = f"-c search_path=pg_catalog -c statement_timeout={SECONDS}s -c lock_timeout={SECONDS}s"
    words = ['"$1"', '"$2"']
    for name in names:
        words += [shlex.quote(f"\\connect {name}"), '"$3"']
    # COPY reads a table and nothing else. A SELECT would run what a view in its place says, as the administrator.
    # Where there is no such table it fails; the last command decides psql's exit code.
    version = ["\\set ON_ERROR_STOP 0", f"COPY {VERSION_TABLE} (version_num) TO STDOUT", f"\\echo {_END}"]
    words += map(shlex.quote, version)
    where = shlex.quote(f"dbname={ADMINISTRATION} options='{options}'")
    program = " ".join(["exec", *_PSQL, *(f"--command {word}" for word in words), where])
    return ["sh", "-c", program, _PSQL[0], _statement("state"), _listed("server"), _listed("objects")]


def objects_question() -> str:
    """Return the statement that selects the facts of one database, as one JSON list of object, field and value."""
    return _listed("objects")


def _statement(name: str) -> str:
    return (_STATEMENTS / f"{name}.sql").read_text()


def _listed(name: str) -> str:
    """Return the statement that selects facts as one line of JSON."""
    rows = "coalesce(jsonb_agg(jsonb_build_array(object, field, value)), '[]') FROM (SELECT * FROM"
    return f"SELECT {rows} (\n{_statement(name)}) AS found(object, field, value) LIMIT {MOST + 1}) AS listed"


def read_inventory(output: str, names: Sequence[str], about: str) -> Inventory:
    """Return what the program printed; `about` says which instance.

    Raises:
        UnreadableAnswerError: it is no such answer, or holds more than anybody would look through.
    """
    try:
        lines = [line for line in output.split("\n") if line.strip()]  # a name may hold other separators
        end = lines.index(_END)
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
