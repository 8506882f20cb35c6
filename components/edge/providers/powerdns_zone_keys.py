"""The keys that sign a zone, the same at every DNS authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from components.edge.providers.checks import Checks, changed
from components.edge.providers.powerdns import PowerDnsProvider
from shopsphere.clients.edge_errors import EdgeError, VerificationError
from shopsphere.clients.edge_identity import DEPLOYER, KEYS_FOLDER, EdgeIdentity
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.names.zone_choice import ZoneKeys
from shopsphere.names.zone_keys import ALGORITHM, FOLDER, ZoneKey, retired_keys
from shopsphere.names.zone_signing import SIGNED, UNSIGNED, bring_key, signing_keys

INPUTS = ("authorities", KEYS_FOLDER, "zone", "algorithm", "parentServers")


class PowerDnsZoneKeysProvider(PowerDnsProvider):
    """Signs the zone with a key of this machine, and brings that key to every authority that has not got it.

    Which key it is changes at run time, when keys are rolled, and is no difference to the declaration: that every
    authority has the same ones, and at least one, is what is declared. So a deployment in the middle of a roll adds a
    key where it is missing. It takes none away but those that were retired, which an old store may bring back. State
    has the inputs, `live`, and `ds`, which the parent zone has to show; no private key is in it.
    """

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs."""
        checks = Checks(news)
        if checks.keys(INPUTS):
            checks.authorities()
            checks.qualified("zone")
            checks.expect(news["algorithm"] == ALGORITHM, "algorithm", ALGORITHM)
        return checks.result()

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Compare the declaration with the inputs of last time and with what was live when it was last read."""
        live = _olds.get("live", {})
        drifted = any(live.get(entry["name"]) != SIGNED for entry in _news["authorities"])
        differences = changed(_olds, _news, INPUTS)
        return DiffResult(changes=bool(differences) or drifted, replaces=[key for key in differences if key == "zone"])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Sign the zone; keys that an authority has are taken over by the others."""
        return CreateResult(f"{props['zone']}/keys", self._signed(self.connect(props), props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report whether each authority signs with the same keys; gone only when none signs."""
        outputs = _outputs(self.connect(props), props)
        gone = all(line == UNSIGNED for line in outputs["live"].values())
        return ReadResult("" if gone else id_, outputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring each authority the keys that it has not got."""
        return UpdateResult(self._signed(self.connect(_news), _news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take the keys away, unless names are still asked for: their answers would count as forged."""
        zone, authorities = _props["zone"], self.connect(_props)
        for authority in authorities:
            names = [f"{name} {type_}" for name, type_ in authority.names(zone) or () if name != zone]
            if names:
                raise EdgeError.build(
                    f"zone {zone} at DNS authority {authority.name} still has names, and its answers have to be signed",
                    expected="no names below it, so that nobody asks any more",
                    found=", ".join(names),
                    action="remove these first; a zone that stays is left signed (docs/zone-keys.md)",
                )
        for authority in authorities:
            for key in authority.zone_keys(zone):
                authority.remove_zone_key(zone, key.number)

    def _signed(self, authorities: Sequence[DnsAuthority], props: Mapping[str, Any]) -> dict[str, Any]:
        zone, folder = props["zone"], keys_folder(props)
        keys = ZoneKeys(zone, folder, tuple(map(IPv4Address, props["parentServers"])))
        for key in keys.wanted(authorities):
            for authority in authorities:
                bring_key(authority, zone, key, folder)
        keys.take_retired(authorities)
        outputs = _outputs(authorities, props)
        for name, found in outputs["live"].items():
            if found != SIGNED:
                raise VerificationError.build(
                    f"DNS authority {name} does not sign {zone} as the others do",
                    expected=SIGNED,
                    found=found,
                    action="look at `pdnsutil show-zone` there; then repeat, which is safe",
                )
        return outputs


def keys_folder(props: Mapping[str, Any]) -> Path:
    """Return where the keys of zones are kept on this machine."""
    return EdgeIdentity.in_props(props, DEPLOYER).folder / FOLDER


def _outputs(authorities: Sequence[DnsAuthority], props: Mapping[str, Any]) -> dict[str, Any]:
    zone = props["zone"]
    held = {authority.name: signing_keys(authority, zone) for authority in authorities}
    retired = retired_keys(keys_folder(props))
    union = {dnskey for keys in held.values() for dnskey in keys} - retired
    live = {name: _line(keys, union, retired) for name, keys in held.items()}
    ds = sorted(ZoneKey(dnskey).ds(zone) for dnskey in union)
    return {**{key: props[key] for key in INPUTS}, "live": live, "ds": ds}


def _line(keys: frozenset[str], union: set[str], retired: frozenset[str]) -> str:
    if not keys:
        return UNSIGNED
    if missing := union - keys:
        return f"without key {_tags(missing)}, which another authority has"
    return f"with key {_tags(keys & retired)}, which was retired" if keys & retired else SIGNED


def _tags(keys: AbstractSet[str]) -> str:
    return ", ".join(str(ZoneKey(each).tag) for each in sorted(keys))
