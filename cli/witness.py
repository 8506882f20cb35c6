"""`shopsphere witness`: the keys of a pair's witness, who may do what there, and how full it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import In
from cli.pairs import PairName, require_pair
from cli.witness_keys import keys
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.estate.witness_seats import quickest_peers, seats
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.progress import say
from shopsphere.foundation.typed_commands import as_typed
from shopsphere.topology import Topology, load_topology

if TYPE_CHECKING:
    from shopsphere.witness import Voter
    from shopsphere.witness.heads import AuditShelf
    from shopsphere.witness.store import Store

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help=__doc__)
app.command()(keys)


@app.command()
def secure(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    take_list: Annotated[
        bool,
        typer.Option("--take-list", help="first write who has left into an older copy of the keys"),
    ] = False,
) -> None:
    """Set users, passwords and rights of a witness as they are declared; nobody else gets in. Can be repeated."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.estate.access import witness_access  # noqa: PLC0415 - see above
    from shopsphere.witness.access import administered_witness, keys_folder  # noqa: PLC0415 - see above
    from shopsphere.witness.identity import Identity  # noqa: PLC0415 - see above
    from shopsphere.witness.keys import declared_operators  # noqa: PLC0415 - see above
    from shopsphere.witness.publishing import (  # noqa: PLC0415 - see above
        publish_withdrawn,
        published,
        require_newest,
        take_published,
    )
    from shopsphere.witness.securing import Administrator  # noqa: PLC0415 - see above
    from shopsphere.witness.users import users_of  # noqa: PLC0415 - see above

    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    folder = keys_folder(witness_access(environment), pair)
    with closing(administered_witness(pair, environment)) as store:
        administrator = Administrator(store, lambda line: say(f"{pair}: {line}"))
        there = published(store, folder, pair)
        if take_list and (told := take_published(folder, pair, there)):
            say(f"{pair}: {told}")
        require_newest(folder, pair, there)
        users = users_of(topology.pair(pair), declared_operators(folder, pair))
        with _noted_as_root(environment, store, pair, "secure", users=[*users]):
            administrator.secure(users, lambda user: Identity(folder, user))
            if told := publish_withdrawn(store, folder, pair, there):
                say(f"{pair}: {told}")
            _let_quickest_lead(store, topology, pair)
    say(f"{pair}: users and rights are as declared")


@app.command()
def sign(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    epoch: Annotated[int, typer.Option(help="the one that the pair is in, as `shopsphere status` and the agents say")],
    active: Annotated[str, typer.Option(help="the site that is active, as they say")],
    replace: Annotated[
        bool, typer.Option("--replace", help="the record there is wrong, though it is signed; or there is none")
    ] = False,
) -> None:
    """Sign a pair's record as an operator; from then on nobody believes one without a signature. Can be repeated."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.witness.access import signing_witness  # noqa: PLC0415 - see above
    from shopsphere.witness.operators import acting_as  # noqa: PLC0415 - see above
    from shopsphere.witness.signing_anew import SigningWays  # noqa: PLC0415 - see above

    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    if active not in topology.pair(pair).sites:
        raise UsageError(f"--active {active}: expected one of {', '.join(topology.pair(pair).sites)}")
    with closing(signing_witness(pair, environment)) as witness:
        ways = SigningWays(f" --environment {environment}", _agents_of(topology, pair, environment))
        who = acting_as(witness.user)
        said = {"epoch": epoch, "active": active, "replace": replace}
        with _noted(environment, witness.audit, pair, "sign", who, said):
            record = witness.sign(epoch, active, who, replace=replace, ways=ways)
    say(f"{pair}: signed, epoch {record.epoch}, {record.active} active")
    say("write status:witnessSigned: true into the edge's stack file, and witness_signed into agents' configurations")


def _agents_of(topology: Topology, pair: str, environment: Environment) -> tuple[str, ...]:
    """Return the commands that ask the agents of a pair's sites; of a site whose stack cannot be read, none."""
    from shopsphere.clients.site_agent import agent_address  # noqa: PLC0415 - see above
    from shopsphere.estate.access import AccessError, site_access  # noqa: PLC0415 - see above

    found = []
    for site in topology.pair(pair).sites:
        with suppress(AccessError):
            access = site_access(site_stack(topology, site, environment))
            found.append(f"`curl {agent_address(access, topology.site(site))}/state`")
    return tuple(found)


@app.command()
def show(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Show each voter, whether it takes part and how full it is, and when certificates end."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.estate.access import witness_access  # noqa: PLC0415 - see above
    from shopsphere.witness.access import keys_folder, witness_of  # noqa: PLC0415 - see above
    from shopsphere.witness.own_keys import certificate_ends  # noqa: PLC0415 - see above
    from shopsphere.witness.voter import miscounted  # noqa: PLC0415 - see above

    require_pair(load_topology(environment=environment), pair)
    ends = certificate_ends(keys_folder(witness_access(environment), pair))
    with closing(witness_of(pair, environment)) as witness:
        voters = witness.each_voter()
    if as_json:
        document = {
            "voters": [{**asdict(each), "ends": each.ends and each.ends.isoformat()} for each in voters],
            "certificates": {name: end and end.isoformat() for name, end in ends.items()},
        }
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        _print(voters)
        if wrong := miscounted(voters, len(voters)):
            advice = "`shopsphere witness replace` goes on with one that is replaced"
            sys.stdout.write(f"{wrong}: {as_typed(advice)}\n")
        for name, end in ends.items():
            told = f"{'ENDED' if end <= datetime.now(UTC) else 'ends'} {end:%Y-%m-%d}" if end else "NO CERTIFICATE"
            sys.stdout.write(f"{name}  {told}\n")
    if any(each.problem for each in voters) or miscounted(voters, len(voters)):
        raise typer.Exit(ExitCode.FAILED)


@app.command()
def tend(pair: PairName, environment: In = Environment.LAB) -> None:
    """Free what is not needed any more at each voter, end alarms, let the nearest one lead; needs the keys of root."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.witness.access import administered_witness  # noqa: PLC0415 - see above
    from shopsphere.witness.securing import Administrator  # noqa: PLC0415 - see above

    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    with closing(administered_witness(pair, environment)) as store:
        with _noted_as_root(environment, store, pair, "tend"):
            voters = Administrator(store, lambda line: say(f"{pair}: {line}")).tend()
            _let_quickest_lead(store, topology, pair)
        _print(voters)


@app.command()
def replace(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    voter: Annotated[str, typer.Option(metavar="SEAT", help="the site whose voter is lost with its disk, for good")],
    again: Annotated[
        bool, typer.Option("--again", help="the new one was lost, too, before it had a vote: another one joins")
    ] = False,
) -> None:
    """Let a new voter with an empty disk take the place of one that is lost; call it until the new one votes."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.estate.witness_seats import peer_url  # noqa: PLC0415 - see above
    from shopsphere.witness.access import administered_witness  # noqa: PLC0415 - see above
    from shopsphere.witness.replacing import VoterReplacement  # noqa: PLC0415 - see above
    from shopsphere.witness.voter_start import JOINS  # noqa: PLC0415 - see above

    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    addresses = {seat: peer_url(topology.pair(pair), seat, topology) for seat in seats(topology.pair(pair), topology)}
    if voter not in addresses:
        raise UsageError(f"--voter {voter}: expected a seat of {pair}: {', '.join(addresses)}")
    own = addresses.pop(voter)
    with closing(administered_witness(pair, environment)) as store:
        replacement = VoterReplacement(store, pair, voter, own, addresses, lambda line: say(f"{pair}: {line}"))
        with _noted_as_root(environment, store, pair, "replace", voter=voter, again=again):
            votes = replacement.go_on(again=again)
    if not votes:
        say(f"now at {voter}: its keys, an empty data folder, and a first start with {JOINS} (docs/witness.md)")
        say("then call the same command again; until it votes, no other voter may be lost")
        raise typer.Exit(ExitCode.FAILED)


def _let_quickest_lead(store: Store, topology: Topology, pair: str) -> None:
    from shopsphere.witness.leading import let_quickest_lead  # noqa: PLC0415 - see above

    let_quickest_lead(store, quickest_peers(topology.pair(pair), topology), lambda line: say(f"{pair}: {line}"))


def _noted_as_root(
    environment: Environment, store: Store, pair: str, verb: str, **said: object
) -> AbstractContextManager[None]:
    from shopsphere.foundation.actor import actor  # noqa: PLC0415 - see above
    from shopsphere.witness.access import administered_shelf  # noqa: PLC0415 - see above
    from shopsphere.witness.users import ROOT  # noqa: PLC0415 - see above

    return _noted(environment, administered_shelf(store, pair), pair, verb, f"{ROOT}: {actor()}", said)


def _noted(
    environment: Environment, shelf: AuditShelf, pair: str, verb: str, who: str, said: Mapping[str, object]
) -> AbstractContextManager[None]:
    from runbooks.noted_act import noted_act  # noqa: PLC0415 - see above

    return noted_act(environment, shelf, {"runbook": f"witness {verb}", "pair": pair, "actor": who, **said})


def _print(voters: list[Voter]) -> None:
    for each in voters:
        room = (
            f"{each.size / 2**20:.1f} of {each.quota / 2**20:.0f} MiB" if each.size and each.quota else "size not known"
        )
        ends = f"its certificate ends {each.ends:%Y-%m-%d}" if each.ends else "no certificate seen"
        part = each.problem or ("leads" if each.leads else "takes part")
        sys.stdout.write(f"{each.url}  {part}  {room}  {ends}\n")
