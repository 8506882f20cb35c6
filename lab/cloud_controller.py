"""The lab's counterpart of a cloud controller manager.

Run as `python -m lab.cloud_controller`. At every site of the lab it gives LoadBalancer services the site's address, and
keeps the node's power capacity (`shopsphere.io/watts`, in W, and one figure per rack), which a kubelet forgets when it
registers anew. It sleeps until a site's API tells of a change, and looks now and then without being told.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from pathlib import Path

from lab.cluster.nodes import LabNode, nodes_of
from lab.paths import kubeconfig_path
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.watch import Follow, Watch
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Site, load_topology

_NEW_SITES_EVERY = 2.0
_LOOK_EVERY, _LOOK_EVERY_UNWATCHED = 60.0, 2.0
_AT_ONCE = 0.2
"""Changes come in bursts: seconds from the first one until all of them are looked at together."""

_REQUEST_SECONDS = 3.0
_NODES, _SERVICES = "/api/v1/nodes", "/api/v1/services"
_LOG = logging.getLogger("cloud")


def power_capacity(node: LabNode) -> dict[str, str]:
    """Return the extended resources of a node: the power of its racks, and an equal share for each rack, in W."""
    site, own = node.site, node.racks
    share = site.watts // site.racks
    racks = {f"rack.shopsphere.io/r{number}-watts": str(share) for number in own}
    return {"shopsphere.io/watts": str(site.watts * len(own) // site.racks), **racks}


def reconcile(site: Site, api: Cluster) -> None:
    """Bring one site's services and nodes to what the outside world gives them.

    Raises:
        ShopSphereError: its API did not answer, or refused.
    """
    for service in api.items(_SERVICES):
        given = service.get("status", {}).get("loadBalancer", {}).get("ingress")
        if service["spec"].get("type") == "LoadBalancer" and not given:
            namespace, name = service["metadata"]["namespace"], service["metadata"]["name"]
            ingress = [{"ip": str(site.address), "ipMode": "VIP"}]
            path = f"/api/v1/namespaces/{namespace}/services/{name}/status"
            api.patch(path, {"status": {"loadBalancer": {"ingress": ingress}}})
            _LOG.info("%s: %s/%s has %s", site.name, namespace, name, site.address)
    capacities = {node.name: power_capacity(node) for node in nodes_of(site)}
    for node in api.items(_NODES):
        wanted = capacities.get(node["metadata"]["name"], {})  # nothing is given to a node that nobody declared
        capacity = node.get("status", {}).get("capacity", {})
        if any(capacity.get(name) != _quantity(value) for name, value in wanted.items()):
            name = node["metadata"]["name"]
            api.patch(f"{_NODES}/{name}/status", {"status": {"capacity": wanted, "allocatable": wanted}})
            _LOG.info("%s: node %s has %s W", site.name, name, wanted["shopsphere.io/watts"])


def _quantity(value: str) -> str:
    """The API server's canonical form of a whole number: 150000 is written 150k."""
    return f"{value[:-3]}k" if value.endswith("000") and value != "000" else value


class SiteController(threading.Thread):
    """Reconciles one site; a thread of its own, so that a site that does not answer holds up no other.

    Args:
        site: which one.
        kubeconfig: of its administrator; a site that was made anew has a new one.
    """

    def __init__(self, site: Site, kubeconfig: Path) -> None:
        super().__init__(name=site.name, daemon=True)
        self._site, self._kubeconfig, self._read_at = site, kubeconfig, 0.0
        self._bell = threading.Event()
        self._api: Cluster | None = None
        self._watches = [Watch(self._follower(path), self._bell.set) for path in (_NODES, _SERVICES)]

    def run(self) -> None:
        """Reconcile until the process ends."""
        for watch in self._watches:
            watch.start()
        while True:
            self._bell.clear()  # before looking: a ring during the look may tell of something that it misses
            seen = False
            try:
                reconcile(self._site, self._connection())
                seen = True
            except ShopSphereError as error:
                _LOG.debug("%s does not answer: %s", self._site.name, error)
            except Exception:  # noqa: BLE001 a thread that ended would leave its site without addresses and watts
                _LOG.exception("%s", self._site.name)
            rests = seen and all(watch.is_open for watch in self._watches)
            self._bell.wait(_LOOK_EVERY if rests else _LOOK_EVERY_UNWATCHED)
            time.sleep(_AT_ONCE)

    def _follower(self, path: str) -> Follow:
        return lambda heard: self._connection().follow(path, heard)

    def _connection(self) -> Cluster:
        written = self._kubeconfig.stat().st_mtime if self._kubeconfig.exists() else 0.0
        if self._api is None or written != self._read_at:
            self._api, self._read_at = Cluster(self._kubeconfig, self._site.name, seconds=_REQUEST_SECONDS), written
        return self._api


def main() -> None:
    """Reconcile all sites until the process is ended."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    topology = load_topology(environment="lab")
    known: set[str] = set()
    while True:
        for name in sorted(topology.sites.keys() - known):
            if kubeconfig_path(name).exists():
                known.add(name)
                SiteController(topology.site(name), kubeconfig_path(name)).start()
        time.sleep(_NEW_SITES_EVERY)


if __name__ == "__main__":
    main()
