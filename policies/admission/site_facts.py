"""Facts of one site, out of the residency map, that become literals of its admission policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.network.destinations import Destinations
from policies.residency.data_read import EVENT_NAMESPACES, NAMESPACES, strictness
from policies.residency.storage_places import pinned_class
from policies.residency_map import pair_sites
from shopsphere.estate.region_facts import region_facts
from shopsphere.estate.stack import Environment
from shopsphere.topology import HEADQUARTERS, Topology


@dataclass(frozen=True)
class SiteFacts:
    """What is allowed at a site.

    Attributes:
        site: its name.
        jurisdiction: whose law holds there.
        environment: lab or prod.
        classes: all classes of data.
        classes_here: those that the residency map lets this site hold.
        jurisdictions: all of them, `headquarters` too.
        sites: all sites.
        pair: sites that may exchange this site's data.
        hosts: addresses and names of these.
        storage_class: the one whose volumes are here.
        strictness: of each class; higher is stricter.
        namespaces: the strictness that each declared namespace asks for.
        destinations: networks outside the cluster that its pods may exchange packets with.
        pod_network: addresses of its pods.
        images: references by the images' names, as the site's stack declares them; none where nothing runs.
        region: what the shop's processes are told of their region; empty at headquarters.
        event_log: whether the site has an event log.
    """

    site: str
    jurisdiction: str
    environment: str
    classes: tuple[str, ...]
    classes_here: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    sites: tuple[str, ...]
    pair: tuple[str, ...]
    hosts: tuple[str, ...]
    storage_class: str
    strictness: Mapping[str, int]
    namespaces: Mapping[str, int]
    destinations: Destinations
    pod_network: str
    images: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    event_log: bool = False

    @classmethod
    def of(
        cls, model: Topology, site: str, environment: Environment, images: Mapping[str, str], *, event_log: bool
    ) -> SiteFacts:
        """Take them from the topology of an environment, and the images from the configuration of the site's stack."""
        jurisdiction, pair = model.jurisdiction_of(site), pair_sites(model, site)
        own_pair = model.pair_of(site)
        namespaces = {**NAMESPACES, **(EVENT_NAMESPACES if event_log else {})}
        return cls(
            site=site,
            jurisdiction=jurisdiction,
            environment=str(environment),
            classes=tuple(model.data_classes),
            classes_here=tuple(each for each in model.data_classes if site in model.sites_allowed(each, jurisdiction)),
            jurisdictions=(*model.jurisdictions, HEADQUARTERS),
            sites=tuple(model.sites),
            pair=pair,
            hosts=tuple(
                host for each in pair for host in (*map(str, model.site(each).addresses), f"{each}.{model.domain}")
            ),
            storage_class=pinned_class(site),
            strictness={each: strictness(model, each) for each in model.data_classes},
            namespaces={name: strictness(model, data_class) for name, data_class in namespaces.items()},
            destinations=Destinations.of(model, site),
            pod_network=str(model.site(site).pod_network),
            images=dict(images),
            region=region_facts(model, own_pair.name) if own_pair else "",
            event_log=event_log,
        )
