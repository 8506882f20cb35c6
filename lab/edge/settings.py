"""What the programs of host `edge` have to know: addresses, ports, folders, certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_AUTHORITIES = {"ns1": "10.99.0.53", "ns2": "10.99.0.54"}


@dataclass(frozen=True)
class EdgeSettings:
    """One edge host.

    Attributes:
        disk: what a power loss leaves in place: zones, distributions, cache configuration.
        run: sockets and working files, made anew at each power-on.
        certificate: PEM chain for the CDN's names.
        key: PEM key of the certificate.
        edge_keys: folder with the certificates of the APIs' door and users; made when they are not there.
        origin_authority: who vouches for the origins' certificates, PEM; in the lab its public authority.
        network: from where the resolver may be asked.
        authorities: address of each DNS authority by name.
        resolver: address of the caching resolver.
        cdn: address of the CDN.
        dns_port: of authorities and resolver.
        dns_api_port: of each authority's API, over TLS.
        tls_port: of the CDN, for browsers.
        cdn_api_port: of the CDN's configuration API, over TLS.
        dns_inner_port: of the first authority's API on loopback; each further one has the next.
        cdn_inner_port: of the CDN's configuration API on loopback.
        first_pull_port: on loopback, where the first site is fetched from; each further one has the next.
        cache_port: where the cache listens on loopback (PROXY protocol).
        cache_admin_port: where the cache takes commands on loopback.
        cache_megabytes: memory for objects (MB).
    """

    disk: Path
    run: Path
    certificate: Path
    key: Path
    edge_keys: Path
    origin_authority: Path
    network: str = "10.99.0.0/16"
    authorities: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_AUTHORITIES))
    resolver: str = "10.99.0.52"
    cdn: str = "10.99.0.80"
    dns_port: int = 53
    dns_api_port: int = 8081
    tls_port: int = 443
    cdn_api_port: int = 8082
    dns_inner_port: int = 8091
    cdn_inner_port: int = 8083
    first_pull_port: int = 8461
    cache_port: int = 8443
    cache_admin_port: int = 6082
    cache_megabytes: int = 128

    @property
    def dns_api_key_file(self) -> Path:
        """Key of the authorities' APIs; it never leaves the host."""
        return self.disk / "dns-api.key"

    @property
    def cdn_token_file(self) -> Path:
        """Token of the CDN's configuration API; it never leaves the host."""
        return self.disk / "cdn-agent.token"

    @property
    def rights_socket(self) -> Path:
        """Where the program listens that judges requests to the APIs; its folder is made by itself."""
        return self.run / "door" / "rights.sock"

    def inner_port(self, authority: str) -> int:
        """Return where an authority's API answers on loopback."""
        return self.dns_inner_port + list(self.authorities).index(authority)

    @property
    def vcl_file(self) -> Path:
        """The configuration that the cache starts with: the last one that was accepted."""
        return self.disk / "cdn" / "active.vcl"

    @property
    def distributions(self) -> Path:
        """One JSON document per distribution."""
        return self.disk / "cdn" / "distributions"

    @property
    def origins_file(self) -> Path:
        """The way to each site that may be an origin, by its name (lab/edge/cdn/ways.py)."""
        return self.disk / "cdn" / "origins.json"

    @property
    def pulls_socket(self) -> Path:
        """Where the program that fetches takes commands; its folder is the root user's alone."""
        return self.run / "pulls" / "admin.sock"

    @property
    def varnish_directory(self) -> Path:
        """Varnish's working folder, through which its command line tools find it."""
        return self.run / "varnish"
