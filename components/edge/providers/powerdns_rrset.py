"""One rrset, the same at every DNS authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from components.edge.providers.checks import Checks, changed
from components.edge.providers.powerdns import PowerDnsProvider
from shopsphere.clients.edge_errors import AdoptionError, VerificationError
from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.clients.powerdns import DnsAuthority, RRset

INPUTS = ("authorities", KEYS_FOLDER, "zone", "name", "type", "ttl", "records")
_IDENTITY = ("zone", "name", "type")
_TYPES = ("A", "AAAA", "CAA", "CNAME", "LUA", "MX", "TXT")
ABSENT = "absent"


class PowerDnsRRsetProvider(PowerDnsProvider):
    """Writes an rrset to every authority, and reads what each of them has.

    State has the inputs and `live`: by authority, the rrset as one line. A record that was changed by hand at any
    authority changes `live`, which is a difference to the declaration. No key is in either.
    """

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs."""
        checks = Checks(news)
        if checks.keys(INPUTS):
            checks.authorities()
            checks.qualified("zone")
            checks.qualified("name")
            checks.ttl()
            checks.expect(news["type"] in _TYPES, "type", f"one of {', '.join(_TYPES)}")
            checks.expect(news["records"], "records", "at least one record")
            checks.expect(len(set(news["records"])) == len(news["records"]), "records", "each record once")
        return checks.result()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the declaration with the inputs of last time and with what was live when it was last read."""
        expected = str(_declared(_news))
        live = _olds.get("live", {})
        drifted = any(live.get(entry["name"]) != expected for entry in _news["authorities"])
        differences = changed(_olds, _news, INPUTS)
        replaces = [key for key in differences if key in _IDENTITY]
        return DiffResult(changes=bool(differences) or drifted, replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Write the rrset; one that is there already is taken over when it is equal, and refused when not."""
        wanted = _declared(props)
        authorities = self.connect(props)
        for authority in authorities:
            found = authority.rrset(props["zone"], wanted.name, wanted.type)
            if found not in {None, wanted}:
                raise AdoptionError.build(
                    f"{wanted.name} {wanted.type} exists already at DNS authority {authority.name}",
                    expected=str(wanted),
                    found=str(found),
                    action="remove it there by hand if nobody needs it, or declare what it says",
                )
        write(authorities, props["zone"], wanted)
        return CreateResult(f"{wanted.name}/{wanted.type}", self._outputs(authorities, props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report what each authority has; the rrset counts as gone only when no authority has it."""
        outputs = self._outputs(self.connect(props), props)
        gone = all(line == ABSENT for line in outputs["live"].values())
        return ReadResult("" if gone else id_, outputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Write the rrset wherever it differs."""
        authorities = self.connect(_news)
        write(authorities, _news["zone"], _declared(_news))
        return UpdateResult(self._outputs(authorities, _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the rrset from every authority."""
        for authority in self.connect(_props):
            if authority.rrset(_props["zone"], _props["name"], _props["type"]) is not None:
                authority.remove(_props["zone"], _props["name"], _props["type"])

    def _outputs(self, authorities: Sequence[DnsAuthority], props: Mapping[str, Any]) -> dict[str, Any]:
        found = {each.name: each.rrset(props["zone"], props["name"], props["type"]) for each in authorities}
        live = {name: str(rrset) if rrset else ABSENT for name, rrset in found.items()}
        return {**{key: props[key] for key in INPUTS}, "live": live}


def write(authorities: Sequence[DnsAuthority], zone: str, wanted: RRset) -> None:
    """Write an rrset wherever it differs, then ask every authority for it.

    Raises:
        VerificationError: an authority accepted it and shows something else.
    """
    for authority in authorities:
        if authority.rrset(zone, wanted.name, wanted.type) != wanted:
            authority.replace(zone, [wanted])
    for authority in authorities:
        found = authority.rrset(zone, wanted.name, wanted.type)
        if found != wanted:
            raise VerificationError.build(
                f"DNS authority {authority.name} does not show what it accepted for {wanted.name}",
                expected=str(wanted),
                found=str(found or ABSENT),
                action="declare the record in the form that the authority shows",
            )


def _declared(props: Mapping[str, Any]) -> RRset:
    return RRset(props["name"], props["type"], int(props["ttl"]), tuple(sorted(props["records"])))
