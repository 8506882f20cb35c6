"""The caching resolver that every host asks: it knows the shop's zone and nothing else of the world."""

from __future__ import annotations

from lab.component import Component
from lab.edge.configured import digest_of
from lab.edge.parent import anchors_file, anchors_text
from lab.edge.settings import EdgeSettings
from shopsphere.foundation.files import write_whole
from shopsphere.topology import Topology

SUBNET_BITS = 24
"""Client bits that public resolvers pass on by custom (RFC 7871, section 11.1)."""

# What a zone's parent vouches for is checked, for everybody who asks: a forged answer is none. The only such zone is
# the shop's, once its DS was shown (lab/edge/parent.py).
# An empty root makes every other name an immediate NXDOMAIN: no question ever leaves for the internet.
_ROOT_ZONE = """\
$TTL 60
. IN SOA localhost. hostmaster.localhost. 1 10800 3600 604800 5
. IN NS localhost.
"""

# TTLs of a few seconds have to hold: neither the packet cache nor a minimum stretches them. An authority that does
# not answer is passed over after 0.4 s. No authority is throttled: by default the resolver avoids one that refused a
# question for a minute, even when it is back and the other one is gone; then no authority is asked at all.
_CONFIGURATION = """\
local-address={address}
local-port={port}
socket-dir={run}
allow-from=127.0.0.0/8,10.0.0.0/8,{network}
forward-zones={domain}={authorities}
auth-zones=.={root}
dont-query=
dnssec=validate
lua-config-file={anchors}
ecs-add-for=0.0.0.0/0
edns-subnet-allow-list={domain}
ecs-ipv4-bits={bits}
ecs-ipv4-cache-bits={bits}
ecs-minimum-ttl-override=0
minimum-ttl-override=0
packetcache-ttl=1
packetcache-servfail-ttl=1
max-negative-ttl=5
network-timeout=400
dont-throttle-netmasks={throttle_free}
serve-rfc1918=no
security-poll-suffix=
threads=1
disable-syslog=yes
log-timestamp=no
quiet=yes
loglevel=4
"""


def resolver_component(settings: EdgeSettings) -> Component:
    """Return the resolver."""
    command = ("/usr/sbin/pdns_recursor", f"--config-dir={settings.disk / 'resolver'}", "--daemon=no")
    configuration = settings.disk / "resolver" / "recursor.conf"
    return Component("dns-resolver", command, digest_of(configuration), priority=21)


def prepare_resolver(settings: EdgeSettings, topology: Topology) -> None:
    """Write the resolver's configuration."""
    folder = settings.disk / "resolver"
    run = settings.run / "resolver"
    run.mkdir(parents=True, exist_ok=True)
    root = folder / "root.zone"
    write_whole(root, _ROOT_ZONE)
    anchors = anchors_file(settings)
    if not anchors.exists():  # what the parent shows stays as it is
        write_whole(anchors, anchors_text("", ()))
    text = _CONFIGURATION.format(
        address=settings.resolver,
        anchors=anchors,
        port=settings.dns_port,
        run=run,
        network=settings.network,
        domain=topology.domain,
        authorities=";".join(f"{address}:{settings.dns_port}" for address in settings.authorities.values()),
        throttle_free=",".join(f"{address}/32" for address in settings.authorities.values()),
        root=root,
        bits=client_bits(topology),
    )
    write_whole(folder / "recursor.conf", text)


def client_bits(topology: Topology) -> int:
    """Return how many bits of a client's address the authorities need to tell all client networks apart."""
    networks = [net for jurisdiction in topology.jurisdictions.values() for net in jurisdiction.client_networks]
    return max([SUBNET_BITS, *(network.prefixlen for network in networks)])
