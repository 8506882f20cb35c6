"""All admission policies of one site."""

from __future__ import annotations

from collections.abc import Mapping

from policies.admission import (
    database_fields,
    databases,
    entering,
    in_site_promotion,
    kinds,
    labels,
    network,
    pods,
    storage,
)
from policies.admission.language import AdmissionPolicy
from policies.admission.site_facts import SiteFacts
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology


def site_policies(
    model: Topology, site: str, environment: Environment, images: Mapping[str, str], *, event_log: bool
) -> list[AdmissionPolicy]:
    """Return the policies that a site's API server applies.

    Args:
        model: topology of the environment.
        site: its name.
        environment: where images of the nodes themselves are allowed, or are not.
        images: references by the images' names, as the site's stack declares them; headquarters' declares none.
        event_log: whether the site has an event log, and with it a StatefulSet and namespaces more.
    """
    facts = SiteFacts.of(model, site, environment, images, event_log=event_log)
    return [
        *labels.policies(facts),
        *pods.policies(facts),
        *storage.policies(facts),
        *network.policies(facts),
        *databases.policies(facts),
        database_fields.policy(facts),
        *in_site_promotion.policies(),
        *kinds.policies(facts),
        *entering.policies(),
    ]
