"""What to try next, with addresses that were just seen to answer."""

from __future__ import annotations

import sys

from lab import plan, record
from lab.enter import run_inside
from lab.hosts import LabHosts, load_hosts
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Topology, load_topology

_PAGE_SECONDS = 20


class ShopSilentError(ShopSphereError):
    """The shop's public address does not answer a client."""


def _client_near(site: str, hosts: LabHosts) -> str | None:
    return next(
        (h.name for h in hosts.hosts.values() if h.name.startswith("client-") and h.near and h.near.site == site), None
    )


def _look(client: str, address: str) -> str:
    shown = "%{http_code} from %{remote_ip} (%header{x-served-by}) in %{time_total} s"
    done = run_inside(
        client, ["curl", "-sS", "-m", "10", "-o", "/dev/null", "-w", shown, address], check=False, seconds=_PAGE_SECONDS
    )
    if not done.stdout.startswith("200"):
        raise ShopSilentError.build(
            f"{address} does not answer {client}",
            expected="200",
            found=done.stdout or done.stderr.strip(),
            action="`shopsphere status all` and `shopsphere lab status` show what is not well",
        )
    return done.stdout


def show_tour() -> None:
    """Fetch the shop's home page as a customer of each running region does, and print how to look further.

    Raises:
        ShopSilentError: the page did not arrive.
    """
    topology: Topology = load_topology(environment="lab")
    hosts = load_hosts(topology)
    address = f"https://{topology.shop_host}/"
    lines = [f"the shop: {address}"]
    for region in record.regions():
        site = plan.sites_of(region, topology)[0]
        client = _client_near(site, hosts)
        if client and region in topology.pairs:
            lines.append(f"  {client}: {_look(client, address)}")
            lines.append(f"    shopsphere lab exec {client} -- curl -s {address}")
    lines += ["then try:", "  shopsphere status all"]
    # Headquarters has no database.
    primary = next((topology.pair(region).primary for region in record.regions() if region in topology.pairs), None)
    if primary:
        lines += [
            f"  shopsphere lab psql {primary} commerce -- -c '\\dt catalogue.*'",
            f"  shopsphere lab power-off {primary}    and power-on",
        ]
    lines.append("  make down")
    sys.stdout.write("\n".join(lines) + "\n")
