"""The gateways for customers, and the payments service behind them (M14, H6, M8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attacked import Scene
from attempt import (
    CLIENT,
    DESK,
    OWN_POD,
    POD,
    PORT,
    STATUS,
    TLS_HELLO,
    Attempt,
    Control,
    Question,
    attempt,
    get,
    post,
    tcp,
)

from lab.hosts import PSP_PORT, load_hosts
from shopsphere.estate.workloads import PAYMENTS

INNER = ("/readyz", "/livez", "/version", "/metrics", "//metrics", "/%6detrics", "/readyz/", "/metrics/x")
NOT_THERE = ("/healthz", "/stats", "/haproxy?stats", "/internal", "/.env", "/admin")
TOO_LATE = 121
"""Seconds after which a sealed call is of the past; before, it is answered again, and charges nothing twice."""


def attempts(scene: Scene) -> Iterator[Attempt]:
    """Yield what is tried at the gateways of both sites, at payments, and at the payment provider."""
    for site in scene.pair.sites:
        answered = Control(CLIENT, (_page(scene, site, "/"),), r"^http 200 ")
        yield attempt(
            "M14",
            f"ask inner endpoints of {site}",
            CLIENT,
            [_page(scene, site, each) for each in INNER],
            STATUS,
            statuses=(404,),
            control=answered,
        )
        yield attempt(
            "M14",
            f"look for pages of operators at {site}",
            DESK,  # nobody has closed them: there are none, and a page that is not there is in no log
            [_page(scene, site, each) for each in NOT_THERE],
            STATUS,
            statuses=(404,),
            control=answered,
        )
    primary = scene.pair.primary
    open_ = Control(CLIENT, (_page(scene, primary, "/"),), r"^http 200 ")
    questions = [
        post(f"https://{host}{path}", {"amount": 1}, at=scene.active)
        for host in (PAYMENTS.namespace.host(PAYMENTS.name), "payments", scene.topology.shop_host)
        for path in ("/v1/payments", "/v1/payments/void", "/v1/statements/by-keys")
    ]
    yield attempt(
        "H6",
        f"ask {primary}'s payments through the gateway",
        CLIENT,
        questions,
        STATUS,
        statuses=(403, 404, 405),
        control=open_,
    )
    yield attempt(
        "M8", "reach the shop of another jurisdiction", POD, [tcp(scene.active, 443, TLS_HELLO)], PORT, control=open_
    )
    port = PAYMENTS.ports[0]
    lives = Control(OWN_POD, (get(f"{PAYMENTS.url}/livez"),), r"^http 20\d ")
    yield attempt(
        "H6",
        f"reach {primary}'s payments by their pods' address",
        POD,
        [tcp(scene.payments, port)],
        PORT,
        control=lives,
    )
    yield from _calls()
    psp = str(load_hosts(scene.topology).host("psp").address)
    provider = Control(DESK, (get(f"http://{psp}:{PSP_PORT}/livez"),), r"^http [2-4]\d\d ")
    # Not as root of another pair's site: its payments ask the same provider.
    yield attempt(
        "M9",
        "read the payment provider's books",
        CLIENT,
        [get(f"http://{psp}:{PSP_PORT}/v1/settlements")],
        PORT,
        control=provider,
    )
    yield attempt("M9", "read the payment provider's books", POD, [tcp(psp, PSP_PORT)], PORT, control=provider)


def _page(scene: Scene, site: str, path: str) -> Question:
    return get(f"https://{scene.topology.shop_host}{path}", at=scene.address(site))


def _calls() -> Iterator[Attempt]:
    """Yield sealed calls that were changed on their way, or come too late; a log of payments says what was wrong."""
    look = {"method": "GET", "path": "/v1/payments/by-key/attack-none", "key": "attack-none"}
    # What is asked about is no payment: a right seal is answered 404, and a wrong one 401 before anybody looks.
    heard = Control(OWN_POD, ({"sealed": True, **look},), r"^http 404 ")
    plain = [get(f"{PAYMENTS.url}{look['path']}"), post(f"{PAYMENTS.url}/v1/payments", {"amount_minor": 1})]
    more: dict[str, Any] = {"statuses": (401,), "control": heard}
    yield attempt("H6", "ask payments without a seal", OWN_POD, plain, STATUS, trace="it has no seal", **more)
    changed = {
        "for another payment": {**look, "path_after": "/v1/payments/by-key/attack-other"},
        "with another body": {
            "method": "POST",
            "path": "/v1/payments",
            "key": "attack-none",
            "body": '{"amount_minor": 1}',
            "body_after": '{"amount_minor": 2}',
        },
    }
    for what, question in changed.items():
        yield attempt(
            "H6",
            f"replay a sealed call {what}",
            OWN_POD,
            [{"sealed": True, **question}],
            STATUS,
            trace="its seal is of another key, or of another question",
            **more,
        )
    late = [{"sealed": True, **look, "age": each} for each in (TOO_LATE, 86_400)]
    yield attempt(
        "H6",
        "replay a sealed call when it is of the past",
        OWN_POD,
        late,
        STATUS,
        trace="s ago, or a clock is wrong",
        **more,
    )
    yield attempt(
        "H6",
        "use a sealed call before its time",
        OWN_POD,
        [{"sealed": True, **look, "age": -TOO_LATE - 10}],
        STATUS,
        trace="s ago, or a clock is wrong",
        **more,
    )
