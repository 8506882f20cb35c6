"""The topology: the one source of sites, pairs, jurisdictions, limits and residency."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shopsphere.topology.base import HEADQUARTERS, Frozen, Name
from shopsphere.topology.data_class import Cdn, DataClass, HeldAt
from shopsphere.topology.errors import UnknownNameError
from shopsphere.topology.limits import Limits, PowerModel
from shopsphere.topology.pair import Pair
from shopsphere.topology.place import Archive, Jurisdiction, Site
from shopsphere.topology.public_names import STATIC, WWW
from shopsphere.topology.retention import Retention
from shopsphere.topology.storefront import Currency, CurrencyCode
from shopsphere.topology.wan import Wan

NO_SITE: frozenset[str] = frozenset()


class Topology(Frozen):
    """Everything that does not change at run time about where things are and what may be stored there."""

    version: Literal[1] = Field(title="Version", description="Version of this document's format.")
    domain: str = Field(
        title="Domain",
        description="DNS zone under which all public names are.",
        pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$",
    )
    jurisdictions: dict[Name, Jurisdiction] = Field(
        title="Jurisdictions", description="Who may hold whose personal data, with the legal basis.", min_length=1
    )
    data_classes: dict[Name, DataClass] = Field(
        title="Data classes", description="Where each class of data may be held.", min_length=1
    )
    retention: Retention = Field(
        default=Retention(), title="Retention", description="How long the shop keeps what it holds about people."
    )
    cdn: Cdn = Field(title="CDN", description="What may leave every jurisdiction through the CDN.")
    power_model: PowerModel = Field(title="Power model", description="Watts per unit of a pod's request.")
    limits: Limits = Field(title="Limits", description="Physical limits of a site.")
    currencies: dict[CurrencyCode, Currency] = Field(
        title="Currencies", description="What the regions sell in, by ISO 4217 code.", min_length=1
    )
    pairs: dict[Name, Pair] = Field(title="Pairs", description="Primary and recovery sites.", min_length=1)
    headquarters: Name = Field(title="Headquarters", description="The site that receives aggregates only.")
    sites: dict[Name, Site] = Field(title="Sites", description="All data centres.", min_length=1)
    wan: Wan = Field(title="WAN", description="Round-trip times between sites.")

    @property
    def shop_host(self) -> str:
        """Public name of the shop."""
        return f"{WWW}.{self.domain}"

    @property
    def static_host(self) -> str:
        """Public name of the static assets: the CDN."""
        return f"{STATIC}.{self.domain}"

    def site(self, name: str) -> Site:
        """Return a site, or raise UnknownNameError."""
        if name not in self.sites:
            raise UnknownNameError.of("site", name, list(self.sites))
        return self.sites[name]

    def pair(self, name: str) -> Pair:
        """Return a pair, or raise UnknownNameError."""
        if name not in self.pairs:
            raise UnknownNameError.of("pair", name, list(self.pairs))
        return self.pairs[name]

    def currency(self, code: str) -> Currency:
        """Return a currency, or raise UnknownNameError."""
        if code not in self.currencies:
            raise UnknownNameError.of("currency", code, list(self.currencies))
        return self.currencies[code]

    def data_class(self, name: str) -> DataClass:
        """Return a data class, or raise UnknownNameError."""
        if name not in self.data_classes:
            raise UnknownNameError.of("data class", name, list(self.data_classes))
        return self.data_classes[name]

    def pair_of(self, site_name: str) -> Pair | None:
        """Return the pair of a site; None for headquarters."""
        self.site(site_name)
        return next((pair for pair in self.pairs.values() if site_name in pair.sites), None)

    def peer_of(self, site_name: str) -> Site | None:
        """Return the other site of the site's pair; None for headquarters."""
        pair = self.pair_of(site_name)
        return self.site(pair.other_than(site_name)) if pair else None

    def jurisdiction_of(self, site_name: str) -> str:
        """Return the name of the site's jurisdiction; `headquarters` for headquarters."""
        self.site(site_name)
        owners = (name for name, jurisdiction in self.jurisdictions.items() if site_name in jurisdiction.sites)
        return next(owners, HEADQUARTERS)

    def sites_of_jurisdiction(self, name: str) -> tuple[Site, ...]:
        """Return the sites of a jurisdiction; of `headquarters` the one headquarters site."""
        if name == HEADQUARTERS:
            return (self.site(self.headquarters),)
        if name not in self.jurisdictions:
            raise UnknownNameError.of("jurisdiction", name, [*self.jurisdictions, HEADQUARTERS])
        return tuple(self.site(site) for site in self.jurisdictions[name].sites)

    def recipient_years(self, jurisdiction: str) -> int:
        """Return for how many years the orders of a jurisdiction's customers keep whom they went to."""
        own = self.jurisdictions[jurisdiction].recipient_years
        return self.retention.fulfilment.recipient_years if own is None else own

    def sites_allowed(self, data_class: str, jurisdiction: str) -> frozenset[str]:
        """Return the names of the sites that may hold a class of data about the people of a jurisdiction.

        This is the residency map from which policies, admission rules and probes take their verdicts. A class held at
        `home` about `headquarters` may be held nowhere: headquarters has no customers, so it has no such data.
        """
        home = frozenset(site.name for site in self.sites_of_jurisdiction(jurisdiction))
        match self.data_class(data_class).held_at:
            case HeldAt.HOME:
                return NO_SITE if jurisdiction == HEADQUARTERS else home
            case HeldAt.HEADQUARTERS:
                return frozenset({self.headquarters})
            case HeldAt.ANYWHERE:
                return frozenset(self.sites)

    def archive_of(self, site_name: str) -> Archive | None:
        """Return where the backups of a site's databases are; None for headquarters, and where there is no archive."""
        own = self.jurisdictions.get(self.jurisdiction_of(site_name))
        return own.archive if own else None

    def archive_may_hold(self, archive: str, data_class: str, jurisdiction: str) -> bool:
        """Whether the archive of the jurisdiction `archive` may hold a class of data about the people of another.

        An archive is no site: what is held at headquarters, too, has no place there.
        """
        match self.data_class(data_class).held_at:
            case HeldAt.HOME:
                return archive == jurisdiction
            case HeldAt.HEADQUARTERS:
                return False
            case HeldAt.ANYWHERE:
                return True

    def rtt_ms(self, a: str, b: str) -> float:
        """Return the round-trip time between two sites (ms); 0 within a site, the default where none is listed."""
        if self.site(a) == self.site(b):
            return 0.0
        listed = (distance.rtt for distance in self.wan.rtt_ms if set(distance.between) == {a, b})
        return next(listed, self.wan.default_rtt_ms)
