"""What one source may ask of a site: requests, connections, and the forms that cost the shop most."""

import socket
import subprocess
from contextlib import suppress

import pytest
from edge_gateway import (
    ADDRESS,
    CHECKOUTS,
    CONNECTIONS,
    NEIGHBOUR,
    SIGN_INS,
    Shop,
    answer_of,
    post,
)

from components.gateway_configuration import HTTPS_PORT
from components.gateway_pages import FORM_WINDOW_SECONDS
from shopsphere.foundation.clock import wait_until


@pytest.mark.requirement("sign-ins beyond a source's limit get 429 with Retry-After, and only they")
@pytest.mark.parametrize(
    ("spellings", "allowed"),
    [
        (("/account/sign-in",), SIGN_INS),
        (("/account/sign-up", "/account/sign-in"), SIGN_INS),
        (("/%61ccount/sign-in", "//account/sign-in", "/account//sign-in"), SIGN_INS),
        (("/checkout",), CHECKOUTS),
        (("/checkout/", "/c%68eckout", "//checkout"), CHECKOUTS),
    ],
)
def test_forms_have_a_limit(
    shop: Shop, gateway: subprocess.Popen[bytes], spellings: tuple[str, ...], allowed: int
) -> None:
    statuses = [post(spellings[number % len(spellings)]) for number in range(allowed + 3)]
    assert statuses == [200] * allowed + [429] * 3
    status, headers, body = answer_of(HTTPS_PORT, spellings[0], "POST", {"Content-Length": "1"}, b"x")
    assert (status, headers["Retry-After"]) == (429, str(FORM_WINDOW_SECONDS))
    assert b"ShopSphere" in body
    assert answer_of(HTTPS_PORT, "/account/sign-in").status == 200, "the form can still be read"
    assert post("/cart/items") == 200
    assert post(spellings[0], source=NEIGHBOUR) == 200, "another source has its own"


def test_sign_ins_take_no_checkouts_away(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    assert [post("/account/sign-in") for _ in range(SIGN_INS + 1)][-1] == 429
    assert [post("/checkout") for _ in range(CHECKOUTS)] == [200] * CHECKOUTS


@pytest.mark.requirement("one client's connections cannot shut a site off")
def test_connections_of_one_source_are_bounded(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    idle = []
    try:
        for _ in range(CONNECTIONS + 10):
            with suppress(ConnectionError):
                idle.append(socket.create_connection((ADDRESS, HTTPS_PORT), timeout=5, source_address=(ADDRESS, 0)))
        assert answer_of(HTTPS_PORT, "/").status == 0, "the source holds all that it may"
        assert answer_of(HTTPS_PORT, "/", source=NEIGHBOUR).status == 200
    finally:
        for connection in idle:
            connection.close()
    wait_until(
        lambda: answer_of(HTTPS_PORT, "/").status == 200, what="its places to be free again", seconds=60, interval=0.2
    )
