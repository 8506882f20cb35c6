"""The lab's counterpart of a cloud controller manager.

Run as `python -m lab.cloud_controller`. At every site of the lab that answers it gives LoadBalancer services the
site's address, and keeps the node's power capacity (`shopsphere.io/watts`, in W, and one figure per rack), which a
kubelet forgets when it registers anew.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from lab.paths import kubeconfig_path
from shopsphere.topology import Site, Topology, load_topology

_PERIOD_SECONDS = 2.0
_REQUEST_SECONDS = 3.0
_LOG = logging.getLogger("cloud")


def power_capacity(site: Site) -> dict[str, str]:
    """Return the extended resources of a site's node: its whole power, and an equal share for each rack, in W."""
    share = site.watts // site.racks
    racks = {f"rack.shopsphere.io/r{number}-watts": str(share) for number in range(1, site.racks + 1)}
    return {"shopsphere.io/watts": str(site.watts), **racks}


def reconcile(site: Site, api: client.CoreV1Api) -> None:
    """Bring one site's services and nodes to what the outside world gives them."""
    for service in api.list_service_for_all_namespaces(_request_timeout=_REQUEST_SECONDS).items:
        if service.spec.type == "LoadBalancer" and not (service.status.load_balancer.ingress or []):
            ingress = [{"ip": str(site.address), "ipMode": "VIP"}]
            api.patch_namespaced_service_status(
                service.metadata.name,
                service.metadata.namespace,
                {"status": {"loadBalancer": {"ingress": ingress}}},
                _request_timeout=_REQUEST_SECONDS,
            )
            _LOG.info("%s: %s/%s has %s", site.name, service.metadata.namespace, service.metadata.name, site.address)
    wanted = power_capacity(site)
    for node in api.list_node(_request_timeout=_REQUEST_SECONDS).items:
        if any(node.status.capacity.get(name) != _quantity(value) for name, value in wanted.items()):
            patch = [
                {"op": "add", "path": f"/status/{kind}/{name.replace('/', '~1')}", "value": value}
                for name, value in wanted.items()
                for kind in ("capacity", "allocatable")
            ]
            api.patch_node_status(node.metadata.name, patch, _request_timeout=_REQUEST_SECONDS)
            _LOG.info("%s: node %s has %s W", site.name, node.metadata.name, wanted["shopsphere.io/watts"])


def _quantity(value: str) -> str:
    """The API server's canonical form of a whole number: 150000 is written 150k."""
    return f"{value[:-3]}k" if value.endswith("000") and value != "000" else value


def _connections(topology: Topology) -> dict[str, Any]:
    apis = {}
    for name in topology.sites:
        if kubeconfig_path(name).exists():
            configuration = client.Configuration()
            config.load_kube_config(str(kubeconfig_path(name)), client_configuration=configuration)
            configuration.retries = False
            apis[name] = client.CoreV1Api(client.ApiClient(configuration))
    return apis


def main() -> None:
    """Reconcile all sites until the process is ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    topology = load_topology(environment="lab")
    apis: dict[str, Any] = {}
    while True:
        for name in topology.sites:
            if kubeconfig_path(name).exists() and name not in apis:
                apis = _connections(topology)
        for name, api in apis.items():
            try:
                reconcile(topology.site(name), api)
            except (ApiException, urllib3.exceptions.HTTPError, OSError) as error:
                _LOG.debug("%s does not answer: %s", name, error)
        time.sleep(_PERIOD_SECONDS)


if __name__ == "__main__":
    main()
