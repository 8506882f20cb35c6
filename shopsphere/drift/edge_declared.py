"""What the edge's last deployment declared: names, states of pairs and distributions, out of its exported state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shopsphere.clients.edge_identity import KEYS_FOLDER
from shopsphere.clients.powerdns import RRset
from shopsphere.drift.declared import StateError, plain
from shopsphere.names.apex import apex
from shopsphere.names.pair_state import PairDeclaration

_MODULE = "pulumi-python:dynamic/edge:"
_WAY_TO_AUTHORITIES, _WAY_TO_CDN = ("authorities", KEYS_FOLDER), ("endpoint", KEYS_FOLDER)
_NOT_OF_THE_CDN = frozenset({*_WAY_TO_CDN, "tokenFile", "live", "__provider"})
"""Inputs of a distribution that say how the CDN is reached, today or by an older version, and what it had."""
Key = tuple[str, str]
"""Fully qualified name and type of an rrset."""


@dataclass(frozen=True)
class DeclaredZone:
    """A zone with all that is declared in it.

    Attributes:
        name: fully qualified, with the dot at the end.
        authorities: inputs that say where the authorities' APIs are, as `powerdns.connect` takes them.
        rrsets: every rrset whose content is declared.
        pairs: states of pairs by name of their record; their role belongs to the run time.
        signing: inputs of the keys that sign it; empty where it is not to be. Which keys belongs to the run time.
        anchors: DS of the keys that were in use when the stack was deployed last, or refreshed.
        retired: DNSKEYs that were known as retired then.
    """

    name: str
    authorities: Mapping[str, Any]
    rrsets: dict[Key, RRset] = field(default_factory=dict)
    pairs: dict[str, PairDeclaration] = field(default_factory=dict)
    signing: dict[str, Any] = field(default_factory=dict)
    anchors: frozenset[str] = frozenset()
    retired: frozenset[str] = frozenset()


@dataclass(frozen=True)
class DeclaredEdge:
    """All of the edge.

    Attributes:
        zones: by name.
        distributions: the document of each by name.
        cdns: inputs that say where the CDN of a distribution is, as `cdn_agent.connect` takes them, by the same names.
    """

    zones: dict[str, DeclaredZone] = field(default_factory=dict)
    distributions: dict[str, dict[str, Any]] = field(default_factory=dict)
    cdns: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Number of declared objects."""
        names = sum(len(zone.rrsets) + len(zone.pairs) for zone in self.zones.values())
        return names + len(self.distributions)

    @property
    def one_of_each_cdn(self) -> list[str]:
        """Name of one distribution of each CDN, by which that CDN is asked for all of its own."""
        found: dict[str, str] = {}
        for name, access in self.cdns.items():
            found.setdefault(str(access["endpoint"]), name)
        return list(found.values())


def declared_edge(exported: Mapping[str, Any]) -> DeclaredEdge:
    """Return what the edge declares, from its state as `pulumi stack export --show-secrets` prints it.

    Raises:
        StateError: it has another shape, or a resource of a type that is not known here.
    """
    edge = DeclaredEdge()
    try:
        resources = exported["deployment"].get("resources") or []
        ours = [each for each in resources if str(each["type"]).startswith(_MODULE) and not each.get("delete")]
        # A zone before what is in it.
        for each in sorted(ours, key=lambda resource: not resource["type"].endswith(":DnsZone")):
            _add(edge, each["type"].removeprefix(_MODULE), plain(each["inputs"]), plain(each.get("outputs") or {}))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise StateError(
            f"the exported state of the edge cannot be read: {type(error).__name__}: {error}\n"
            "  do:       look at it with `pulumi stack export`"
        ) from error
    return edge


def _add(edge: DeclaredEdge, type_: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    match type_:
        case "DnsZone":
            zone = DeclaredZone(inputs["zone"], {key: inputs[key] for key in _WAY_TO_AUTHORITIES if key in inputs})
            edge.zones[zone.name] = zone
            for rrset in apex(inputs):
                zone.rrsets[rrset.name, rrset.type] = rrset
        case "DnsRRset":
            rrset = RRset(inputs["name"], inputs["type"], int(inputs["ttl"]), tuple(sorted(inputs["records"])))
            edge.zones[inputs["zone"]].rrsets[rrset.name, rrset.type] = rrset
        case "DnsZoneKeys":
            known, retired = frozenset(outputs.get("ds") or ()), frozenset(outputs.get("retired") or ())
            zone = replace(edge.zones[inputs["zone"]], signing=dict(inputs), anchors=known, retired=retired)
            edge.zones[zone.name] = zone
        case "DnsPairState":
            pair = PairDeclaration.of(inputs)
            edge.zones[inputs["zone"]].pairs[pair.name] = pair
        case "CdnDistribution":
            name = inputs["name"]
            edge.distributions[name] = {key: value for key, value in inputs.items() if key not in _NOT_OF_THE_CDN}
            edge.cdns[name] = {key: inputs[key] for key in _WAY_TO_CDN if key in inputs}
        case _:
            raise StateError.build(
                "the edge cannot be compared",
                expected="zones, names, states of pairs and distributions",
                found=f"a {type_}",
                action="add the type to shopsphere/drift/edge_declared.py",
            )
