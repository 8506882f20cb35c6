"""A zone with its SOA and NS records, the same at every DNS authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from components.edge.providers.checks import Checks, changed
from components.edge.providers.powerdns import PowerDnsProvider
from shopsphere.clients.edge_errors import AdoptionError, EdgeError, VerificationError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.names.apex import apex, apex_line

INPUTS = ("authorities", KEYS_FOLDER, "zone", "nameservers", "hostmaster", "negativeTtl", "ttl")
ABSENT = "absent"
_LARGEST_NEGATIVE_TTL = 3600


class PowerDnsZoneProvider(PowerDnsProvider):
    """Creates the zone, owns its apex records, and deletes it only when nothing else is in it.

    The serial is each authority's own count of changes, so it is part of no comparison.
    """

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs."""
        checks = Checks(news)
        if checks.keys(INPUTS):
            checks.authorities()
            checks.qualified("zone")
            checks.qualified("hostmaster")
            checks.ttl()
            checks.expect(news["nameservers"], "nameservers", "at least one name server")
            checks.expect(all(name.endswith(".") for name in news["nameservers"]), "nameservers", "a dot at each end")
            # A name that is asked for before it exists stays unknown to resolvers for this long.
            in_range = 0 <= news["negativeTtl"] <= _LARGEST_NEGATIVE_TTL
            checks.expect(in_range, "negativeTtl", f"0 to {_LARGEST_NEGATIVE_TTL} s")
        return checks.result()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the declaration with the inputs of last time and with what was live when it was last read."""
        expected = apex_line(*apex(_news))
        live = _olds.get("live", {})
        drifted = any(live.get(entry["name"]) != expected for entry in _news["authorities"])
        differences = changed(_olds, _news, INPUTS)
        replaces = [key for key in differences if key == "zone"]
        return DiffResult(changes=bool(differences) or drifted, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the zone; one that is there already is taken over when its apex is equal, and refused when not."""
        expected = apex_line(*apex(props))
        authorities = self.connect(props)
        for authority in authorities:
            found = _live(authority, props["zone"])
            if found not in {ABSENT, expected}:
                raise AdoptionError.build(
                    f"zone {props['zone']} exists already at DNS authority {authority.name}",
                    expected=expected,
                    found=found,
                    action="declare what it says, or delete it there by hand if nobody needs it",
                )
        return CreateResult(props["zone"], self._written(authorities, props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report the apex at each authority; the zone counts as gone only when no authority has it."""
        outputs = _outputs(self.connect(props), props)
        gone = all(line == ABSENT for line in outputs["live"].values())
        return ReadResult("" if gone else id_, outputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Create the zone where it is missing and write its apex where that differs."""
        return UpdateResult(self._written(self.connect(_news), _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the zone from every authority, unless someone put records in it that are not declared."""
        zone = _props["zone"]
        authorities = self.connect(_props)
        for authority in authorities:
            apex = {(zone, "SOA"), (zone, "NS")}
            others = [f"{name} {type_}" for name, type_ in authority.names(zone) or () if (name, type_) not in apex]
            if others:
                raise EdgeError.build(
                    f"zone {zone} at DNS authority {authority.name} has records that nobody declared",
                    expected="only SOA and NS of the zone itself",
                    found=", ".join(others),
                    action="remove them by hand if nobody needs them, then repeat",
                )
        for authority in authorities:
            if authority.names(zone) is not None:
                authority.delete_zone(zone)

    def _written(self, authorities: Sequence[DnsAuthority], props: Mapping[str, Any]) -> dict[str, Any]:
        soa, nameservers = apex(props)
        expected = apex_line(soa, nameservers)
        for authority in authorities:
            found = _live(authority, props["zone"])
            if authority.names(props["zone"]) is None:
                authority.create_zone(props["zone"], [soa, nameservers])
            elif found != expected:
                authority.replace(props["zone"], [soa, nameservers])
        outputs = _outputs(authorities, props)
        for name, found in outputs["live"].items():
            if found != expected:
                raise VerificationError.build(
                    f"DNS authority {name} does not show the apex of {props['zone']} that it accepted",
                    expected=expected,
                    found=found,
                    action="declare it in the form that the authority shows",
                )
        return outputs


def _live(authority: DnsAuthority, zone: str) -> str:
    soa, nameservers = authority.rrset(zone, zone, "SOA"), authority.rrset(zone, zone, "NS")
    return apex_line(soa, nameservers) if soa and nameservers else ABSENT


def _outputs(authorities: Sequence[DnsAuthority], props: Mapping[str, Any]) -> dict[str, Any]:
    live = {authority.name: _live(authority, props["zone"]) for authority in authorities}
    return {**{key: props[key] for key in INPUTS}, "live": live}
