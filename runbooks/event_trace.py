"""One click on its way: sent as a browser sends it, and looked for at every place where it comes, until it is there.

It is a real one, of a tab of its own, and counts as one look at a product.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from runbooks.pair_access import PairAccess
from shopsphere.clients.web import Door, PageError
from shopsphere.estate.databases import COMMERCE
from shopsphere.estate.event_log import CLICK_HOURS, CLICKS
from shopsphere.estate.event_log_config import KafkaConfig
from shopsphere.estate.event_log_site import COLLECT, COUNT
from shopsphere.estate.stack import site_stack
from shopsphere.estate.stack_files import KAFKA_KEY, wanted_configuration
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.status.workload_program import run_in_workload

WAIT_SECONDS = 15.0
_ANSWER_SECONDS = 10.0
_TAKEN = 204
_AGENT = "Mozilla/5.0 (shopsphere trace-event)"
"""Begins as a browser's: looks of programs are counted apart, and are in no row of a session."""
_PRODUCT = re.compile(r'href="/products/([a-z0-9-]{1,64})"')
_KEPT_IN_BROWSER = "the tab, until it is acknowledged"


class NoEventLogError(ShopSphereError):
    """The pair has no event log, so that nothing is counted."""


@dataclass(frozen=True)
class Hop:
    """A place to which the click came.

    Attributes:
        place: what it is.
        site: where.
        milliseconds: after the click; None if it did not come in time.
        size: what it is there (bytes), or nothing.
        data_class: of it there.
        kept: until when.
        says: what was found.
    """

    place: str
    site: str
    milliseconds: float | None
    size: int | None
    data_class: str
    kept: str
    says: str


@dataclass(frozen=True)
class Trace:
    """The whole way.

    Attributes:
        pair: of it.
        product: that was looked at.
        tab: random number of the tab.
        hops: in the order of the way.
    """

    pair: str
    product: str
    tab: str
    hops: tuple[Hop, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it came everywhere."""
        return all(each.milliseconds is not None for each in self.hops)

    def document(self) -> dict[str, Any]:
        """Return it for machines."""
        return asdict(self)


def trace_event(access: PairAccess, product: str = "", *, seconds: float = WAIT_SECONDS) -> Trace:
    """Send a click through the pair's public name, and look for it.

    Args:
        access: the ways to the pair.
        product: whose page was looked at; empty for one of the home page.
        seconds: longest time to wait for it at each place.

    Raises:
        NoEventLogError: the pair has none.
        ShopSphereError: no name server, page or API answers, or the click was refused.
    """
    kafka = _event_log(access)
    began = time.time()
    door, named_ms = _door(access, began)
    product = product or _any_product(door)
    tab = secrets.token_hex(8)
    body = _batch(tab, product)
    with ThreadPoolExecutor(2) as pool:
        clicked = time.time()
        answer = door.ask("POST", "/b", json=body, agent=_AGENT)
        answered = time.time()
        if answer.status_code != _TAKEN:
            raise ShopSphereError.build(
                "the click was not taken",
                expected=f"status {_TAKEN}",
                found=f"status {answer.status_code}: {answer.text[:80].strip()}",
                action="look at the collector's pods and its figures (`shop metrics 8010` in one of them)",
            )
        sites = access.pair.sites
        found = list(pool.map(lambda site: _looked_for(access, site, tab, product, seconds), sites))
    active = next((each for each in found if not each["follows"]), None)
    if active is None:
        raise ShopSphereError("no site's worker counts: the databases of both only follow")
    passive = next((each for each in found if each is not active), None)
    hops = [
        Hop("name server", "public", named_ms, None, "public", "as long as a name lives", f"leads to {door.address}"),
        Hop(
            "gateway and collector",
            str(answer.headers.get("X-Served-By", "")),
            _since(clicked, answered * 1000),
            len(body),
            COLLECT.data_class,
            _KEPT_IN_BROWSER,
            "204: its record is written",
        ),
        *_hops_of(active, clicked, kafka),
    ]
    if passive is not None:
        hops.append(_copy(passive, clicked))
    return Trace(access.pair.name, product, tab, tuple(hops))


def _event_log(access: PairAccess) -> KafkaConfig:
    for site in access.pair.sites:
        stack = site_stack(access.topology, site, access.environment)
        if isinstance(kafka := wanted_configuration(stack).get(KAFKA_KEY), Mapping):
            return KafkaConfig.model_validate(kafka)
    raise NoEventLogError.build(
        f"{access.pair.name} has no event log",
        expected=f"{KAFKA_KEY} in the stacks of its sites",
        found="neither has it",
        action="see docs/adr/0063-an-event-log-per-site.md for what to add, and `shopsphere up` the pair",
    )


def _door(access: PairAccess, began: float) -> tuple[Door, float]:
    problems: list[str] = []
    for server in access.name_servers():
        try:
            addresses = access.addresses_at(server)
        except ShopSphereError as error:
            problems.append(str(error))
            continue
        return access.door(str(addresses[0]), seconds=_ANSWER_SECONDS), _since(began, time.time() * 1000)
    raise ShopSphereError("; ".join(problems) or "no name server is known")


def _any_product(door: Door) -> str:
    page = door.ask("GET", "/")
    if found := _PRODUCT.search(page.text):
        return found[1]
    raise PageError(f"https://{door.name}/: no product on it (status {page.status_code}); name one")


def _batch(tab: str, product: str) -> str:
    now = int(time.time() * 1000)
    event = {"t": "view", "at": now, "q": 0, "p": product}
    return json.dumps({"v": 1, "tab": tab, "b": 0, "sent": now, "c": 1, "e": [event]}, separators=(",", ":"))


def _looked_for(access: PairAccess, site: str, tab: str, product: str, seconds: float) -> Mapping[str, Any]:
    words = ["shop", "trace-click", tab, product, "--seconds", str(seconds)]
    said = run_in_workload(access.cluster(site), COUNT, words, extra_seconds=seconds + _ANSWER_SECONDS)
    found: Mapping[str, Any] = json.loads(said)
    return found


def _hops_of(found: Mapping[str, Any], clicked: float, kafka: KafkaConfig) -> Sequence[Hop]:
    record, counted, row = found["record"], found["counted"], found["row"]
    site, data_class = str(found["site"]), COUNT.data_class
    where = "partition {partition}, offset {offset}, one of {batches} batches".format_map(record) if record else ""
    looks = f"product {row['product']}, which {row['visitors_in_three_hours']} visitors looked at" if row else ""
    return (
        Hop(
            f"topic {CLICKS}",
            site,
            _since(clicked, record["written_ms"]) if record else None,
            record["bytes"] if record else None,
            data_class,
            f"{CLICK_HOURS} h, at most {kafka.click_retention_mib} MiB a partition",
            where,
        ),
        Hop(
            "worker",
            site,
            _since(clicked, counted["seen_ms"]) if counted else None,
            None,
            data_class,
            "its sums are in the row below",
            f"counted up to offset {counted['next']}" if counted else "",
        ),
        Hop(
            f"{COMMERCE.name}, insight.session_look",
            site,
            _since(clicked, row["seen_ms"]) if row else None,
            None,
            data_class,
            "30 days",
            looks,
        ),
    )


def _copy(found: Mapping[str, Any], clicked: float) -> Hop:
    row = found["row"]
    return Hop(
        f"{COMMERCE.name}, by replication",
        str(found["site"]),
        _since(clicked, row["seen_ms"]) if row else None,
        None,
        COUNT.data_class,
        "30 days",
        "the same row" if row else "",
    )


def _since(clicked: float, moment_ms: float) -> float:
    return round(max(0.0, moment_ms - clicked * 1000), 1)
