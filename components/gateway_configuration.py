"""What HAProxy is told: its configuration as text, from the facts of a site's gateway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from components.pod_template import ENDPOINT_REMOVAL_SECONDS, TERMINATION_SECONDS
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_agent import WRITES_PATH
from shopsphere.estate.site_config import WorkloadConfig
from shopsphere.estate.workloads import GATEWAY, GATEWAY_HTTP_PORT, GATEWAY_HTTPS_PORT

HTTPS_PORT = GATEWAY_HTTPS_PORT
HTTP_PORT = GATEWAY_HTTP_PORT
HEALTH_PORT = 8404
LIVE_PATH = "/livez"
READY_PATH = "/readyz"
RETRY_AFTER_SECONDS = 5
CLOSED_PAGE = (
    "<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>One moment</title>"
    "<body style='font:1.1rem/1.5 system-ui;max-width:34rem;margin:15vh auto;padding:0 1rem'><h1>One moment</h1>"
    "<p>We are moving to another data centre. Nothing was charged or ordered. Please go back and send it again in "
    "a few seconds: it will be taken once, however often you send it.</p></body></html>"
)
CONFIG_DIRECTORY = "/etc/shopsphere/gateway"
CERTIFICATE_DIRECTORY = "/etc/shopsphere/tls"
CERTIFICATE_FILE = f"{CERTIFICATE_DIRECTORY}/tls.pem"
LARGEST_BODY_BYTES = 1_048_576  # 1 MiB: the largest form of the shop is an address; artwork goes another way
DRAIN_SECONDS = TERMINATION_SECONDS - ENDPOINT_REMOVAL_SECONDS - 5
RATE_WINDOW_SECONDS = 10  # the stick table's window in the template


@dataclass(frozen=True)
class GatewayModel:
    """Static facts of a gateway.

    Attributes:
        placement: its site.
        config: its size.
        watts: power of one pod (W).
        shop_host: DNS name of the shop's service.
        shop_port: its port.
        static_paths: path prefixes that only the CDN may fetch.
        requests_per_second: rate above which one source address is answered with 429.
        agent: where the site's agent says whether writes are open; None where there is none.
    """

    placement: Placement
    config: WorkloadConfig
    watts: int
    shop_host: str
    shop_port: int
    static_paths: tuple[str, ...]
    requests_per_second: int
    agent: Endpoint | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Labels of everything that belongs to the gateway."""
        return self.placement.labels(GATEWAY.name, data_class=GATEWAY.data_class, owner=GATEWAY.owner)


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
        health_port=HEALTH_PORT,
        live_path=LIVE_PATH,
        ready_path=READY_PATH,
        drain_seconds=DRAIN_SECONDS,
        certificate_file=CERTIFICATE_FILE,
        requests_per_10s=model.requests_per_second * RATE_WINDOW_SECONDS,
        largest_body_bytes=LARGEST_BODY_BYTES,
        static_paths=model.static_paths,
        shop_host=model.shop_host,
        shop_port=model.shop_port,
        agent_host=model.agent.host if model.agent else "",
        agent_port=model.agent.port if model.agent else 0,
        agent_path=WRITES_PATH,
        retry_after_seconds=RETRY_AFTER_SECONDS,
        closed_page=CLOSED_PAGE,
    )
