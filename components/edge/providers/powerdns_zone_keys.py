"""The keys that sign a zone, the same at every DNS authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from components.edge.providers.checks import Checks, changed
from components.edge.providers.powerdns import PowerDnsProvider
from shopsphere.clients.edge_errors import EdgeError, VerificationError
from shopsphere.clients.edge_identity import DEPLOYER, KEYS_FOLDER, EdgeIdentity
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.names.key_record import TYPE, record_name
from shopsphere.names.key_view import KeysView
from shopsphere.names.zone_choice import ZoneKeys, unknown_keys
from shopsphere.names.zone_keys import ALGORITHM, FOLDER, retire_all
from shopsphere.names.zone_signing import SIGNED, UNSIGNED

INPUTS = ("authorities", KEYS_FOLDER, "zone", "algorithm", "parentServers")


class PowerDnsZoneKeysProvider(PowerDnsProvider):
    """Signs the zone with a key of this machine, and brings that key to every authority that has not got it.

    Which key it is changes at run time, when keys are rolled, and is no difference to the declaration: that every
    authority has the same ones, and at least one, is what is declared. So a deployment in the middle of a roll adds a
    key where it is missing. It takes none away but those that were retired, which an old store may bring back. State
    has the inputs, `live`, `ds`, which the parent zone has to show and by which keys are known, and `retired`, which
    must never sign again; no private key is in it.
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
        """Sign the zone; keys that an authority has, and that are known here, are taken over by the others."""
        return CreateResult(f"{props['zone']}/keys", self._signed(self.connect(props), props, {}))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report whether each authority signs with the same keys; gone only when none signs."""
        view = _keys(props, props).look(self.connect(props))
        # What the zone's record says is no knowledge of the state: only a deployment that ended well adds to it.
        outputs = {**_outputs(view, props, props), "retired": sorted(props.get("retired") or ())}
        gone = all(line == UNSIGNED for line in outputs["live"].values())
        return ReadResult("" if gone else id_, outputs)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Bring each authority the keys that it has not got."""
        return UpdateResult(self._signed(self.connect(_news), _news, _olds))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take the keys away, unless names are still asked for: their answers would count as forged."""
        zone, authorities = _props["zone"], self.connect(_props)
        for authority in authorities:
            own = {zone, record_name(zone)}
            names = [f"{name} {type_}" for name, type_ in authority.names(zone) or () if name not in own]
            if names:
                raise EdgeError.build(
                    f"zone {zone} at DNS authority {authority.name} still has names, and its answers have to be signed",
                    expected="no names below it, so that nobody asks any more",
                    found=", ".join(names),
                    action="remove these first; a zone that stays is left signed (docs/zone-keys.md)",
                )
        # With the zone goes what is proven of retired keys: this machine keeps it.
        retire_all(keys_folder(_props), _keys(_props, _props).look(authorities).retired)
        for authority in authorities:
            for key in authority.zone_keys(zone):
                authority.remove_zone_key(zone, key.number)
            if authority.rrset(zone, record_name(zone), TYPE) is not None:
                authority.remove(zone, record_name(zone), TYPE)

    def _signed(
        self, authorities: Sequence[DnsAuthority], props: Mapping[str, Any], olds: Mapping[str, Any]
    ) -> dict[str, Any]:
        zone, folder = props["zone"], keys_folder(props)
        view = _keys(props, olds).sign(authorities)
        if view.unknown:
            raise unknown_keys(zone, view.unknown_at, folder)
        for each in authorities:
            if (found := view.line(each.name)) != SIGNED:
                raise VerificationError.build(
                    f"DNS authority {each.name} does not sign {zone} as the others do",
                    expected=SIGNED,
                    found=found,
                    action="look at `pdnsutil show-zone` there; then repeat, which is safe",
                )
        return _outputs(view, props, olds)


def keys_folder(props: Mapping[str, Any]) -> Path:
    """Return where the keys of zones are kept on this machine."""
    return EdgeIdentity.in_props(props, DEPLOYER).folder / FOLDER


def _keys(props: Mapping[str, Any], olds: Mapping[str, Any]) -> ZoneKeys:
    parents = tuple(map(IPv4Address, props["parentServers"]))
    known, retired = frozenset(olds.get("ds") or ()), frozenset(olds.get("retired") or ())
    return ZoneKeys(props["zone"], keys_folder(props), parents, known, retired)


def _outputs(view: KeysView, props: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Any]:
    """Return what state keeps; where no key that is known signs, it goes on knowing those of before."""
    live = {name: view.line(name) for name in view.held}
    ds = view.ds or list(olds.get("ds") or ())
    return {**{key: props[key] for key in INPUTS}, "live": live, "ds": ds, "retired": sorted(view.retired)}
