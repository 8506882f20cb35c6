"""Varnish, the CDN's cache, and hitch, which ends TLS in front of it."""

from __future__ import annotations

from lab.component import Component
from lab.edge.cdn.runtime import PARAMETERS
from lab.edge.cdn.vcl import render
from lab.edge.settings import EdgeSettings
from shopsphere.foundation.files import secret_in, write_whole

# Hitch reads the key as root and then goes on as nobody's user.
_HITCH = """\
frontend = {{
    host = "{address}"
    port = "{port}"
}}
backend = "[127.0.0.1]:{cache_port}"
pem-file = {{
    cert = "{certificate}"
    private-key = "{key}"
}}
tls-protos = TLSv1.2 TLSv1.3
alpn-protos = "h2, http/1.1"
write-proxy-v2 = on
workers = 1
daemon = off
user = "{user}"
group = "{group}"
syslog = off
log-level = 1
"""
HITCH_USER = "_hitch"
BRIEF_MEGABYTES = 16
"""For objects that the origin does not vouch for: unknown names, names without a digest."""
TRANSIENT_MEGABYTES = 32
"""For answers on their way that are not kept."""


def cache_component(settings: EdgeSettings) -> Component:
    """Return the cache; it starts with the last configuration that was accepted, with or without the agent."""
    command = (
        "/usr/sbin/varnishd",
        "-F",
        # The host's own namespaces are the jail; the packaged one needs folders that are open to other users.
        *("-j", "none"),
        *("-n", str(settings.varnish_directory)),
        *("-a", f"127.0.0.1:{settings.cache_port},PROXY"),
        *("-T", f"127.0.0.1:{settings.cache_admin_port}"),
        *("-S", str(settings.disk / "cdn" / "admin.secret")),
        *("-f", str(settings.vcl_file)),
        # Three stores, so that what anybody can ask for never drives out what the shop's pages need.
        *("-s", f"default=default,{settings.cache_megabytes}m"),
        *("-s", f"brief=default,{BRIEF_MEGABYTES}m"),
        *("-s", f"Transient=default,{TRANSIENT_MEGABYTES}m"),
        *(word for name, value in PARAMETERS.items() for word in ("-p", f"{name}={value}")),
    )
    return Component("cdn-cache", command, priority=30)


def tls_component(settings: EdgeSettings) -> Component:
    """Return the program that ends TLS."""
    return Component("cdn-tls", ("/usr/sbin/hitch", f"--config={settings.disk / 'cdn' / 'hitch.conf'}"), priority=32)


def prepare_cache(settings: EdgeSettings) -> None:
    """Write the configurations; the cache's own only the first time, since the agent owns it from then on."""
    folder = settings.disk / "cdn"
    settings.distributions.mkdir(parents=True, exist_ok=True)
    settings.varnish_directory.mkdir(parents=True, exist_ok=True)
    secret_in(folder / "admin.secret")
    text = _HITCH.format(
        address=settings.cdn,
        port=settings.tls_port,
        cache_port=settings.cache_port,
        certificate=settings.certificate,
        key=settings.key,
        user=HITCH_USER,
        group=HITCH_USER,
    )
    write_whole(folder / "hitch.conf", text)
    if not settings.vcl_file.exists():
        write_whole(settings.vcl_file, render([], {}))
