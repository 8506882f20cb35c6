"""All admission policies of one site."""

from __future__ import annotations

from policies.admission import databases, kinds, labels, network, pods, storage
from policies.admission.language import AdmissionPolicy
from policies.admission.site_facts import SiteFacts
from shopsphere.estate.stack import Environment
from shopsphere.topology import Topology


def site_policies(model: Topology, site: str, environment: Environment) -> list[AdmissionPolicy]:
    """Return the policies that a site's API server applies.

    Args:
        model: topology of the environment.
        site: its name.
        environment: where images of the nodes themselves are allowed, or are not.
    """
    facts = SiteFacts.of(model, site, environment)
    return [
        *labels.policies(facts),
        *pods.policies(facts),
        *storage.policies(facts),
        *network.policies(facts),
        *databases.policies(facts),
        *kinds.policies(),
    ]
