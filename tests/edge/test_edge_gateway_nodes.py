"""A gateway of a site with several nodes: names stay while another instance of a database takes over."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from edge_gateway import Shop, answer_of, write_configuration

from components.gateway_configuration import HTTP_PORT, HTTPS_PORT, PATIENT
from lab.packages import ensure_packages
from shopsphere.estate.site_health import SERVING_PATH
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("the loss of a node leads nobody away from its site")

FEWEST_SECONDS = (PATIENT.fall - 1) * PATIENT.every
MOST_SECONDS = PATIENT.fall * (PATIENT.every + PATIENT.answers_within)


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ensure_packages(["haproxy"])
    return write_configuration(tmp_path_factory.mktemp("gateway"), nodes=2)


def await_serving(status: int, seconds: float = 60) -> float:
    """Return how long it took until steering hears this status (s)."""
    begun = time.monotonic()
    wait_until(
        lambda: answer_of(HTTP_PORT, SERVING_PATH).status == status, what=f"{status}", seconds=seconds, interval=0.1
    )
    return time.monotonic() - begun


def test_a_database_that_is_away_is_told_after_another_instance_could_lead(
    shop: Shop, gateway: subprocess.Popen[bytes]
) -> None:
    await_serving(200)
    wait_until(lambda: "/readyz" in [path for path, _ in shop.seen], what="a first question", seconds=60, interval=0.1)
    shop.ready = 503
    assert FEWEST_SECONDS - 1 < await_serving(503) < MOST_SECONDS + PATIENT.every + 2
    assert answer_of(HTTPS_PORT, "/").status == 200, "the shop itself lives, so customers are let through"
    shop.ready = 200
    await_serving(200, seconds=20)


def test_a_shop_that_is_away_is_told_at_once(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    await_serving(200)
    shop.stop()
    assert await_serving(503) < FEWEST_SECONDS - 4
