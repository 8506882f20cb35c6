"""The state record of a pair: declared once, moved by runbooks, and guarded here."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from components.edge.providers.checks import Checks, changed
from components.edge.providers.powerdns import PowerDnsProvider
from shopsphere.clients.edge_errors import AdoptionError, PairStateError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.names.believed import MOST_AHEAD, believed, witnessed_epoch
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import read_records, write_record
from shopsphere.names.steering import follows

INPUTS = (
    *("authorities", KEYS_FOLDER, "zone", "pair", "primary", "recovery"),
    *("addresses", "activeWeight", "passiveWeight", "ttl"),
)
_IDENTITY = ("zone", "pair")
_ALL = 100
AS_DECLARED = "as declared, in either role"


class PowerDnsPairStateProvider(PowerDnsProvider):
    """Creates the record at epoch 1 and from then on keeps it valid without ever moving the role.

    State has no epoch and no active site: both are run-time facts, so a failover is no difference to anything that
    Pulumi knows. `live` says per authority that the record is as declared, or what it is instead.
    """

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs."""
        checks = Checks(news)
        if checks.keys(INPUTS):
            checks.authorities()
            checks.qualified("zone")
            checks.ttl()
            sites = {news["primary"], news["recovery"]}
            checks.expect(len(sites) == len(("primary", "recovery")), "recovery", "another site than the primary")
            checks.expect(set(news["addresses"]) == sites, "addresses", f"one for each of {', '.join(sorted(sites))}")
            total = news["activeWeight"] + news["passiveWeight"]
            checks.expect(total == _ALL, "activeWeight", f"with passiveWeight a sum of {_ALL}, not {total}")
            checks.expect(news["activeWeight"] > news["passiveWeight"] >= 0, "activeWeight", "more than passiveWeight")
        return checks.result()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Report a difference for an invalid state or for authorities that disagree; any valid state is none."""
        live = _olds.get("live", {})
        drifted = any(live.get(entry["name"]) != AS_DECLARED for entry in _news["authorities"])
        differences = changed(_olds, _news, INPUTS)
        replaces = [key for key in differences if key in _IDENTITY]
        return DiffResult(changes=bool(differences) or drifted, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Write epoch 1 at the primary site, or take over a record that is valid at every authority that has one."""
        declaration, authorities = PairDeclaration.of(props), self.connect(props)
        found = {name: rrset for name, rrset in read_records(authorities, declaration).items() if rrset}
        for name, rrset in found.items():
            if declaration.valid(rrset) is None:
                raise AdoptionError.build(
                    f"{declaration.name} exists already at DNS authority {name}",
                    expected="a valid state of this pair, with the declared weights and addresses",
                    found=str(rrset),
                    action="find out what this record is; remove it by hand only when no name includes it",
                )
        write_record(authorities, declaration, _agreed(declaration, found) if found else declaration.first)
        return CreateResult(declaration.name, self._outputs(authorities, props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report whether each authority has a valid state. A lost record is drift, never a resource to create anew."""
        return ReadResult(id_, self._outputs(self.connect(props), props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring weights, addresses and TTL of every authority to the declaration, at the highest known epoch."""
        declaration, authorities = PairDeclaration.of(_news), self.connect(_news)
        state = _agreed(declaration, read_records(authorities, declaration))
        write_record(authorities, declaration, state)
        return UpdateResult(self._outputs(authorities, _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the record from every authority, unless a name there still follows it.

        So it is where a resource was renamed in the program: its successor has taken this same record over.

        Raises:
            PairStateError: a name follows it, and would have no answer.
        """
        declaration = PairDeclaration.of(_props)
        authorities = self.connect(_props)
        following = [f"{name} at {each.name}" for each in authorities for name in _following(each, declaration)]
        if following:
            raise PairStateError.build(
                f"pair {declaration.pair}: {declaration.name} is in use, and was not removed",
                expected="no name that follows it",
                found=", ".join(following),
                action="remove these names first; where the record belongs to another resource of the program now, let "
                "this one be forgotten: `pulumi state delete URN`",
            )
        for authority in authorities:
            if authority.rrset(declaration.zone, declaration.name, "LUA") is not None:
                authority.remove(declaration.zone, declaration.name, "LUA")

    def _outputs(self, authorities: Sequence[DnsAuthority], props: Mapping[str, Any]) -> dict[str, Any]:
        declaration = PairDeclaration.of(props)
        found = read_records(authorities, declaration)
        states = {declaration.valid(rrset) for rrset in found.values()}
        if len(states) == 1 and None not in states:
            live = dict.fromkeys(found, AS_DECLARED)
        else:
            live = {name: str(rrset or "absent") for name, rrset in found.items()}
        return {**{key: props[key] for key in INPUTS}, "live": live}


def _following(authority: DnsAuthority, declaration: PairDeclaration) -> list[str]:
    found = authority.rrsets(declaration.zone) or ()
    named = [each for each in found if each.type == "LUA" and each.name != declaration.name]
    return [each.name for each in named if any(follows(text, declaration.pair) for text in each.records)]


def _agreed(declaration: PairDeclaration, found: Mapping[str, RRset | None]) -> PairState:
    """Return the state with the highest epoch of all authorities that are believed; those that are not are named.

    Raises:
        PairStateError: none has a readable state, the highest epoch has two active sites, or it is so far ahead of the
            others that it is no truth, and nobody can tell which is.
    """
    readable = {name: state for name, rrset in found.items() if (state := declaration.stated(rrset))}
    witnessed = witnessed_epoch(declaration.pair)
    true = believed(readable, witnessed)
    known = {replace(state, leaving=False) for state in true.values()}
    highest = max((state.epoch for state in known), default=0)
    candidates = [state for state in known if state.epoch == highest]
    lowest = min((state.epoch for state in known), default=0)
    is_far = not witnessed and highest - lowest > MOST_AHEAD
    if len(candidates) != 1 or is_far:
        ahead = [name for name, state in readable.items() if state.epoch > (witnessed or lowest) + MOST_AHEAD]
        raise PairStateError.build(
            f"pair {declaration.pair}: the state at the DNS authorities does not say which site is active",
            expected=f"one readable state with the highest epoch, at most {MOST_AHEAD} ahead of "
            + (f"the witness's {witnessed}" if witnessed else "the others, as the witness was not heard"),
            found="; ".join(f"{name}: {rrset or 'absent'}" for name, rrset in found.items())
            + (f"; too far ahead: {', '.join(ahead)}" if ahead else ""),
            action="ask the witness for epoch and active site, as `shopsphere up edge` does where it answers; then "
            "write that record at each authority that is wrong, and repeat",
        )
    for name in readable.keys() - true.keys():
        sys.stderr.write(
            f"DNS authority {name} shows epoch {readable[name].epoch} of {declaration.pair}, which cannot be: it is "
            f"not believed, and is written anew with epoch {highest}; find out who wrote it\n"
        )
    return candidates[0]
