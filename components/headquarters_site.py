"""The headquarters site: admission policies, namespaces and storage for aggregates."""

from __future__ import annotations

import pulumi

from components.admission import Admission
from components.data_centre import DataCentre, DataCentreModel
from components.pinned_storage import PinnedStorage, PinnedStorageModel
from components.rights import Rights
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_config import HeadquartersConfig
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE
from shopsphere.topology import Topology


def declare_headquarters(
    topology: Topology, config: HeadquartersConfig, environment: str, options: pulumi.ResourceOptions
) -> Placement:
    """Declare everything at the headquarters and return where that is.

    No component of its own: as a parent it would change the URNs of what is deployed.
    """
    placement = Placement.of(topology, topology.headquarters)
    admission = Admission.of(topology, placement, environment, options, event_log=False)
    model = DataCentreModel.of(topology, placement, HEADQUARTERS_SITE.namespaces)
    centre = DataCentre(placement.site, model, options, after=[admission])
    Rights(
        placement.site,
        placement,
        HEADQUARTERS_SITE.namespaces,
        centre.namespace,
        options,
        admission=admission.asked,
        of_pair=False,
    )
    PinnedStorage(placement.site, PinnedStorageModel(placement, config.volumes), options)
    return placement
