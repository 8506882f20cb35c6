"""Debian packages that host `edge` runs; none of them may start a service of its own."""

from __future__ import annotations

PACKAGES = {
    "pdns-server": "the two DNS authorities",
    "pdns-backend-sqlite3": "their store and its schema",
    "pdns-recursor": "the resolver of every host",
    "varnish": "the CDN's cache",
    "hitch": "TLS in front of the cache",
    "haproxy": "TLS and users in front of the APIs of authorities and CDN",
    "gcc": "varnishd compiles each VCL",
    "libc6-dev": "headers for that compiler",
    "sqlite3": "looks into an authority's store",
}
