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
        dns_api_key_file: key of the authorities' API; made when it is not there.
        cdn_token_file: token of the CDN's configuration API; made when it is not there.
        network: from where the APIs may be called and the resolver asked.
        authorities: address of each DNS authority by name.
        resolver: address of the caching resolver.
        cdn: address of the CDN.
        dns_port: of authorities and resolver.
        dns_api_port: of each authority's HTTP API.
        tls_port: of the CDN, for browsers.
        cdn_api_port: of the CDN's configuration API.
        cache_port: where the cache listens on loopback (PROXY protocol).
        cache_admin_port: where the cache takes commands on loopback.
        cache_megabytes: memory for objects (MB).
    """

    disk: Path
    run: Path
    certificate: Path
    key: Path
    dns_api_key_file: Path
    cdn_token_file: Path
    network: str = "10.99.0.0/16"
    authorities: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_AUTHORITIES))
    resolver: str = "10.99.0.52"
    cdn: str = "10.99.0.80"
    dns_port: int = 53
    dns_api_port: int = 8081
    tls_port: int = 443
    cdn_api_port: int = 8082
    cache_port: int = 8443
    cache_admin_port: int = 6082
    cache_megabytes: int = 128

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
        """Address of each site that may be an origin, by its name."""
        return self.disk / "cdn" / "origins.json"

    @property
    def varnish_directory(self) -> Path:
        """Varnish's working folder, through which its command line tools find it."""
        return self.run / "varnish"
