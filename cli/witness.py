"""`shopsphere witness`: the keys of a pair's witness, who may do what there, and how full it is."""

from __future__ import annotations

import json
import sys
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import In
from cli.pairs import PairName, require_pair
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.authority_change import Step
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.progress import say
from shopsphere.foundation.typed_commands import as_typed
from shopsphere.topology import Pair, Topology, load_topology

if TYPE_CHECKING:
    from shopsphere.witness import Voter

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help=__doc__)
AuthorityStep = Annotated[
    Step | None, typer.Option("--authority", help="change the authorities: the next of three steps (docs/witness.md)")
]
Addresses = Annotated[
    list[str] | None,
    typer.Option(
        "--voter", metavar="SEAT=NAME", help="another name or address by which a voter is reached; repeatable"
    ),
]
Operators = Annotated[
    list[str] | None,
    typer.Option("--operator", metavar="NAME", help="a person or machine that gets keys of its own; repeatable"),
]
Leaving = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="NAME",
        help="an operator who has left, or `operator` for the key that all share; then `witness secure`; repeatable",
    ),
]


@app.command()
def keys(
    pair: PairName,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="where they are kept; a folder per pair is made")],
    environment: In = Environment.LAB,
    *,
    voter: Addresses = None,
    operator: Operators = None,
    without: Leaving = None,
    authority: AuthorityStep = None,
) -> None:
    """Make or renew the keys of a witness: authorities, voters, users, operators. Says which host needs which files."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.witness.keys import (  # noqa: PLC0415 - see above
        change_authorities,
        declared_operators,
        make_keys,
        stages_of,
        user_files,
        voter_files,
        withdraw,
    )
    from shopsphere.witness.users import ROOT, users_of  # noqa: PLC0415 - see above

    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    found = topology.pair(pair)
    names = _voter_names(found, topology, voter or [])
    own = folder.expanduser() / pair
    coming, leaving = _operators(operator or []), _operators(without or [])
    users = (ROOT, *users_of(found, dict.fromkeys([*declared_operators(own, pair), *coming])))
    if authority in {Step.BEGIN, Step.SIGN}:
        change_authorities(own, authority)
    make_keys(own, pair, names, users)
    for user in leaving:  # when who comes in his place has keys
        withdraw(own, pair, user)
    if authority is Step.END:
        change_authorities(own, authority)
    for seat in names:
        say(f"voter at {seat}: {' '.join(each.name for each in voter_files(own, seat))}")
    for user in (each for each in users if each not in leaving):
        say(f"{user}: {' '.join(each.name for each in user_files(own, user))}")
    say(f"kept in {own}; ca.key and peers-ca.key make new ones: keep them off every host and operator's machine")
    for file, stage in stages_of(own).items():
        if stage:
            say(f"{file} is being changed: {stage}")
    if coming or leaving:
        say(f"now `shopsphere witness secure {pair}`: it lets in who is new, and takes away who has left")


def _voter_names(pair: Pair, topology: Topology, more: list[str]) -> dict[str, list[str]]:
    """Return the names by which each voter is reached: its address, and what is added as SEAT=NAME."""
    names = {seat: [str(topology.site(seat).address)] for seat in seats(pair, topology)}
    for each in more:
        seat, _, name = each.partition("=")
        if seat not in names or not name:
            raise UsageError(f"--voter {each}: expected SEAT=NAME with a seat of {', '.join(names)}")
        names[seat].append(name)
    return names


def _operators(names: list[str]) -> list[str]:
    from shopsphere.witness.users import OPERATOR, operator_user  # noqa: PLC0415 - see above

    try:
        return [OPERATOR if name == OPERATOR else operator_user(name) for name in names]
    except ValueError as error:
        raise UsageError(str(error)) from error


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
        administrator.secure(users, lambda user: Identity(folder, user))
        if told := publish_withdrawn(store, folder, pair, there):
            say(f"{pair}: {told}")
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
        record = witness.sign(epoch, active, acting_as(witness.user), replace=replace, ways=ways)
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
    """Free what is not needed any more at each voter, one after the other, and end alarms; needs the keys of root."""
    # The clients take a second to import, so only these verbs do.
    from shopsphere.witness.access import administered_witness  # noqa: PLC0415 - see above
    from shopsphere.witness.securing import Administrator  # noqa: PLC0415 - see above

    require_pair(load_topology(environment=environment), pair)
    with closing(administered_witness(pair, environment)) as store:
        _print(Administrator(store, lambda line: say(f"{pair}: {line}")).tend())


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
        votes = replacement.go_on(again=again)
    if not votes:
        say(f"now at {voter}: its keys, an empty data folder, and a first start with {JOINS} (docs/witness.md)")
        say("then call the same command again; until it votes, no other voter may be lost")
        raise typer.Exit(ExitCode.FAILED)


def _print(voters: list[Voter]) -> None:
    for each in voters:
        room = (
            f"{each.size / 2**20:.1f} of {each.quota / 2**20:.0f} MiB" if each.size and each.quota else "size not known"
        )
        ends = f"its certificate ends {each.ends:%Y-%m-%d}" if each.ends else "no certificate seen"
        sys.stdout.write(f"{each.url}  {each.problem or 'takes part'}  {room}  {ends}\n")
