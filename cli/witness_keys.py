"""`shopsphere witness keys`: the keys of a pair's witness."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import PairName, require_pair
from shopsphere.estate.stack import Environment
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.authority_change import Step
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import Pair, Topology, load_topology

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
    # The clients take a second to import, so only this verb does.
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
