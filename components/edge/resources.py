"""The edge's resource types: each ties a name that policies and people see to its provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import Resource

from components.edge.providers.cdn_distribution import CdnDistributionProvider
from components.edge.providers.powerdns_pair_state import PowerDnsPairStateProvider
from components.edge.providers.powerdns_rrset import PowerDnsRRsetProvider
from components.edge.providers.powerdns_zone import PowerDnsZoneProvider
from components.edge.providers.powerdns_zone_keys import PowerDnsZoneKeysProvider

LIVE = "live"
"""Output with what the services had when they were last read."""

DS = "ds"
"""Output with what the parent zone has to say of the keys: one DS of each."""

RETIRED = "retired"
"""Output with the public halves of keys that must never sign again."""


class DnsZone(Resource, module="edge", name="DnsZone"):
    """A zone with SOA and NS at every authority; type `pulumi-python:dynamic/edge:DnsZone`."""

    live: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(PowerDnsZoneProvider(), name, {**inputs, LIVE: None}, options)


class DnsZoneKeys(Resource, module="edge", name="DnsZoneKeys"):
    """The keys that sign a zone at every authority; type `pulumi-python:dynamic/edge:DnsZoneKeys`."""

    live: pulumi.Output[dict[str, str]]
    ds: pulumi.Output[list[str]]
    retired: pulumi.Output[list[str]]

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(PowerDnsZoneKeysProvider(), name, {**inputs, LIVE: None, DS: None, RETIRED: None}, options)


class DnsRRset(Resource, module="edge", name="DnsRRset"):
    """An rrset at every authority; type `pulumi-python:dynamic/edge:DnsRRset`."""

    live: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(PowerDnsRRsetProvider(), name, {**inputs, LIVE: None}, options)


class DnsPairState(Resource, module="edge", name="DnsPairState"):
    """The state record of a pair; type `pulumi-python:dynamic/edge:DnsPairState`."""

    live: pulumi.Output[dict[str, str]]

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(PowerDnsPairStateProvider(), name, {**inputs, LIVE: None}, options)


class CdnDistribution(Resource, module="edge", name="CdnDistribution"):
    """A distribution of the CDN; type `pulumi-python:dynamic/edge:CdnDistribution`.

    `dataClass`, `paths` and `origins` are plain inputs, so that policies judge them before anything is created.
    """

    live: pulumi.Output[str]

    def __init__(self, name: str, inputs: Mapping[str, Any], options: pulumi.ResourceOptions) -> None:
        super().__init__(CdnDistributionProvider(), name, {**inputs, LIVE: None}, options)
