"""What HAProxy is told: its configuration as text, from the facts of a site's gateway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.gateway_pages import (
    ERROR_PAGES,
    FORM_WINDOW_SECONDS,
    MOVING,
    NO_LENGTH,
    RATE_WINDOW_SECONDS,
    RETRY_AFTER_SECONDS,
    TOO_MANY_FORMS,
    page_files,
)
from components.pod_template import ENDPOINT_REMOVAL_SECONDS, TERMINATION_SECONDS
from shopsphere.clients.edge_identity import PULLER
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_agent import WRITES_PATH
from shopsphere.estate.site_config import WorkloadConfig
from shopsphere.estate.site_health import SERVING_PATH
from shopsphere.estate.workload_declaration import SERVICE_PORT
from shopsphere.estate.workloads import GATEWAY, GATEWAY_HTTP_PORT, GATEWAY_HTTPS_PORT, GATEWAY_ORIGIN_PORT
from shopsphere.topology.public_names import WWW

HTTPS_PORT = GATEWAY_HTTPS_PORT
HTTP_PORT = GATEWAY_HTTP_PORT
CDN_PORT = GATEWAY_ORIGIN_PORT
HEALTH_PORT = 8404
LIVE_PATH = "/livez"
READY_PATH = "/readyz"
CONFIG_DIRECTORY = "/etc/shopsphere/gateway"
CERTIFICATE_DIRECTORY = "/etc/shopsphere/tls"
CERTIFICATE_FILE = f"{CERTIFICATE_DIRECTORY}/tls.pem"
CDN_AUTHORITY_FILE = "cdn-ca.crt"
"""Beside haproxy.cfg: whom a certificate of the CDN has to be from."""
LARGEST_BODY_BYTES = 1_048_576  # 1 MiB: the largest form of the shop is an address; artwork goes another way
CLICKS_PATH = "/b"
LARGEST_CLICK_BYTES = 65_536
"""Both as app/clicks has them."""
LATER_SECONDS = 4
"""After which a browser tries again to hand over what it has kept."""
DRAIN_SECONDS = TERMINATION_SECONDS - ENDPOINT_REMOVAL_SECONDS - 5
LARGEST_CONNECTIONS = 4000
LARGEST_CDN_CONNECTIONS = LARGEST_CONNECTIONS // 8
"""At the entry for the CDN: who is refused there only after a handshake takes no place of customers."""
CDN_CONNECTIONS_PER_SOURCE = LARGEST_CDN_CONNECTIONS // 4
CONNECTIONS_PER_SOURCE = LARGEST_CONNECTIONS // 10
"""More at once from one source are refused: idle connections cost a client nothing, and each holds a place here.

A browser holds one, so this is a large office or a mobile network behind one address.
"""


@dataclass(frozen=True)
class ReadyCheck:
    """How a gateway asks whether its shop can be read; while it cannot, names lead readers to the other site.

    Attributes:
        every: seconds between two questions.
        doubted_every: after one that failed.
        down_every: while the shop cannot be read.
        answers_within: seconds that an answer may take.
        fall: so many have to fail, one after the other.
    """

    every: int
    doubted_every: int
    down_every: int
    answers_within: int
    fall: int


PROMPT = ReadyCheck(every=3, doubted_every=1, down_every=2, answers_within=3, fall=3)
PATIENT = ReadyCheck(every=2, doubted_every=2, down_every=1, answers_within=1, fall=10)
"""Of a site with several nodes: 18 to 30 s, in which another instance of its databases leads (ADR 70)."""


@dataclass(frozen=True)
class GatewayModel:
    """Static facts of a gateway.

    Attributes:
        placement: its site.
        config: its size.
        watts: power of one pod (W).
        shop_host: DNS name of the shop's service.
        shop_port: its port.
        collector_host: DNS name of the service of the collector of clicks; empty where there is none.
        static_paths: path prefixes that only the CDN may fetch.
        cdn_authority: who vouches for the CDN (PEM); without it there is no entry for the CDN.
        static_over_http: whether everybody may fetch them in clear, as a CDN without a certificate does.
        public_url: address of the shop, without a path; what else customers type is led to it.
        domain: the zone of the public names.
        requests_per_second: rate above which one source, an IPv4 address or an IPv6 /64, is answered with 429.
        sign_ins_per_minute: the same for forms of the account.
        checkouts_per_minute: the same for orders.
        connections: how many one source may hold.
        agent: where the site's agent says whether writes are open; None where there is none.
        nodes: of the site, as the topology has them. Where there are several, each has a gateway: a node that the
            site's address leads to answers customers by its own gateway alone (`externalTrafficPolicy: Local`).
    """

    placement: Placement
    config: WorkloadConfig
    watts: int
    shop_host: str
    shop_port: int
    static_paths: tuple[str, ...]
    public_url: str
    domain: str
    requests_per_second: int
    sign_ins_per_minute: int
    checkouts_per_minute: int
    cdn_authority: str = ""
    collector_host: str = ""
    static_over_http: bool = False
    connections: int = CONNECTIONS_PER_SOURCE
    agent: Endpoint | None = None
    nodes: int = 1

    @property
    def replicas(self) -> int:
        """Pods: as many as were asked for, and not fewer than nodes."""
        return max(self.config.replicas, self.nodes)

    @property
    def ready_check(self) -> ReadyCheck:
        """How it asks whether the shop can be read."""
        return PATIENT if self.nodes > 1 else PROMPT

    @property
    def public_host(self) -> str:
        """Name of the shop as a browser sends it."""
        return str(urlsplit(self.public_url).hostname)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that belongs to the gateway."""
        return self.placement.labels(GATEWAY.name, data_class=GATEWAY.data_class, owner=GATEWAY.owner)


def gateway_files(model: GatewayModel) -> dict[str, str]:
    """Return what the pods mount at CONFIG_DIRECTORY: haproxy.cfg, the pages it names, and who vouches for the CDN."""
    cdn = {CDN_AUTHORITY_FILE: model.cdn_authority.strip() + "\n"} if model.cdn_authority else {}
    return {"haproxy.cfg": haproxy_configuration(model), **page_files(), **cdn}


def haproxy_configuration(model: GatewayModel) -> str:
    """Return the text of haproxy.cfg."""
    # Not HTML, so nothing is to be escaped; a value that is missing is an error.
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 the result is no HTML
    )  # fmt: skip
    return templates.get_template("haproxy.cfg.j2").render(
        site=model.placement.site,
        https_port=HTTPS_PORT,
        http_port=HTTP_PORT,
        cdn_port=CDN_PORT,
        cdn_authority=f"{CONFIG_DIRECTORY}/{CDN_AUTHORITY_FILE}" if model.cdn_authority else "",
        cdn_name=PULLER,
        cdn_connections=LARGEST_CDN_CONNECTIONS,
        cdn_connections_per_source=CDN_CONNECTIONS_PER_SOURCE,
        static_over_http=model.static_over_http,
        health_port=HEALTH_PORT,
        live_path=LIVE_PATH,
        ready_path=READY_PATH,
        ready_check=model.ready_check,
        drain_seconds=DRAIN_SECONDS,
        certificate_file=CERTIFICATE_FILE,
        rate_window=RATE_WINDOW_SECONDS,
        requests_per_window=model.requests_per_second * RATE_WINDOW_SECONDS,
        keep_alive_seconds=RETRY_AFTER_SECONDS - 1,
        form_window=FORM_WINDOW_SECONDS,
        sign_ins_per_window=model.sign_ins_per_minute * FORM_WINDOW_SECONDS // 60,
        checkouts_per_window=model.checkouts_per_minute * FORM_WINDOW_SECONDS // 60,
        largest_connections=LARGEST_CONNECTIONS,
        connections=model.connections,
        largest_body_bytes=LARGEST_BODY_BYTES,
        static_paths=model.static_paths,
        shop_host=model.shop_host,
        shop_port=model.shop_port,
        collector_host=model.collector_host,
        collector_port=SERVICE_PORT,
        clicks_path=CLICKS_PATH,
        largest_click_bytes=LARGEST_CLICK_BYTES,
        clicks_per_window=model.requests_per_second * RATE_WINDOW_SECONDS,
        later_seconds=LATER_SECONDS,
        agent_host=model.agent.host if model.agent else "",
        agent_port=model.agent.port if model.agent else 0,
        agent_path=WRITES_PATH,
        serving_path=SERVING_PATH,
        public_url=model.public_url.rstrip("/"),
        public_host=model.public_host,
        typed_hosts=sorted({model.public_host, model.domain, f"{WWW}.{model.domain}"}),
        page_directory=CONFIG_DIRECTORY,
        error_pages=ERROR_PAGES,
        moving=MOVING,
        no_length=NO_LENGTH,
        too_many_forms=TOO_MANY_FORMS,
    )
