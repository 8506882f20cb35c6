"""What fetches for the cache: HAProxy, which knows each site by its certificate and shows the CDN's own."""

from __future__ import annotations

from lab.component import Component
from lab.edge.cdn.ways import WAYS, Way, Ways
from lab.edge.configured import digest_of
from lab.edge.settings import EdgeSettings
from shopsphere.edge_door.keys import puller_files
from shopsphere.estate.cdn_origin import ORIGIN_PORT
from shopsphere.estate.site_health import SERVING_PATH
from shopsphere.foundation.files import write_whole
from shopsphere.names.pair_state import public_addresses
from shopsphere.topology import Topology

PULLS = "cdn-pulls"
"""Name of the program."""
# No session is resumed: each connection proves anew who is at both ends. A connection is established within `connect`,
# handshake included; a site that does not answer until then is passed over by the cache, as one that answers 503.
_GLOBAL = """\
global
    maxconn 1000
    nbthread 1
    ssl-load-extra-del-ext
    ssl-default-server-options ssl-min-ver TLSv1.2 no-tls-tickets
    log stdout format raw local0 info
    stats socket {socket} mode 600 level admin
    user haproxy
    group haproxy
defaults
    mode http
    log global
    option dontlog-normal
    log-format "failed site=%b status=%ST end=%ts %{{+Q}}[bc_err_str] %{{+Q}}[ssl_bc_err_str]"
    retries 1
    retry-on empty-response
    timeout http-request 5s
    timeout http-keep-alive 10s
    timeout client 30s
    timeout queue 2s
    timeout connect 1s
    timeout server 5s
"""
# Of questions whether a site is well one in thirty is logged: where it is gone, each of them fails.
_SITE = """\
frontend {site}
    bind 127.0.0.1:{local}
    http-request set-log-level silent if {{ path {probe} }} !{{ rand(30) eq 0 }}
    default_backend {site}
backend {site}
    server gateway {address}:{port} maxconn 100 ssl crt {certificate} ca-file {authority} verify required \
verifyhost {name} sni str({name}) alpn http/1.1 no-ssl-reuse
"""


def ways_to_origins(settings: EdgeSettings, topology: Topology) -> dict[str, Way]:
    """Return the way to every site that serves customers: no other may be an origin."""
    addresses = public_addresses(topology)
    sites = [site for pair in topology.pairs.values() for site in pair.sites]
    return {
        site: Way.model_validate(
            {
                "address": addresses[site],
                "origin_port": ORIGIN_PORT,
                "name": topology.shop_host,
                "local_port": settings.first_pull_port + number,
            }
        )
        for number, site in enumerate(sites)
    }


def prepare_pulls(settings: EdgeSettings, topology: Topology) -> None:
    """Write the ways, and what the program starts with; the CDN's certificate has to be there (`prepare_door`)."""
    ways = ways_to_origins(settings, topology)
    settings.pulls_socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(settings.origins_file, WAYS.dump_json(ways, indent=2).decode() + "\n")
    write_whole(settings.disk / "cdn" / "pulls.cfg", pulls_configuration(settings, ways))


def pulls_configuration(settings: EdgeSettings, ways: Ways) -> str:
    """Return HAProxy's configuration."""
    _, certificate, _ = puller_files(settings.edge_keys)
    sites = (
        _SITE.format(
            site=site,
            local=way.local_port,
            probe=SERVING_PATH,
            address=way.address,
            port=way.origin_port,
            certificate=certificate,
            authority=settings.origin_authority,
            name=way.name,
        )
        for site, way in ways.items()
    )
    return _GLOBAL.format(socket=settings.pulls_socket) + "".join(sites)


def pulls_component(settings: EdgeSettings) -> Component:
    """Return the program; `prepare_pulls` has to have run. Other certificates restart it, and not the cache."""
    configuration = settings.disk / "cdn" / "pulls.cfg"
    _, certificate, key = puller_files(settings.edge_keys)
    environment = digest_of(configuration, certificate, key, settings.origin_authority)
    return Component(PULLS, ("/usr/sbin/haproxy", "-db", "-f", str(configuration)), environment, priority=29)
