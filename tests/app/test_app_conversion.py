"""`shop conversion` counts who took part, and who bought, in a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest
from running_shop import Shop
from shop_processes import CALL_KEY, FACTS, SECRET

from app.web.renewals import EVERY_SECONDS
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("conversion by group comes from orders, of sessions that were shown a page")
TRIAL = '{"name": "row-1", "percent": 50, "from": "2020-01-01", "until": "2999-01-01"}'


def told(shop: Shop) -> dict[str, Any]:
    environment = {
        "PYTHONPATH": str(REPOSITORY),
        "COMMERCE_DSN": shop.cluster.service_dsn("commerce"),
        "SHOP_SESSION_SECRET": SECRET,
        "PAYMENTS_CALL_KEY": CALL_KEY,
        "SHOP_ENVIRONMENT": "lab",
        "SHOP_REGION_FACTS": FACTS,
        "SHOP_RECOMMENDATIONS_TRIAL": TRIAL,
    }
    done = subprocess.run(
        [sys.executable, "-m", "app", "conversion"], cwd=REPOSITORY, env={**os.environ, **environment}, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def people(found: dict[str, Any]) -> tuple[int, int]:
    groups = found["groups"].values()
    return sum(each["visitors"] for each in groups), sum(each["buyers"] for each in groups)


def test_a_session_counts_when_its_cookie_came_back_and_a_buyer_once(shop: Shop) -> None:
    time.sleep(2 * EVERY_SECONDS)  # sessions of other tests are written as renewed by then
    before = told(shop)
    visitors, buyers = people(before)
    assert before["verdict"].startswith("too early: the last day is 2999-01-01")
    once = shop.shopper()
    assert once.add().status_code == 303
    assert people(told(shop)) == (visitors, buyers), "no page was shown to it yet"
    once.get("/cart")
    wait_until(lambda: people(told(shop)) == (visitors + 1, buyers), what="a renewed session", seconds=60, interval=0.5)
    for payment_method in ("tok_visa", "tok_visa"):
        once.buy(payment_method)
    assert people(told(shop)) == (visitors + 1, buyers + 1)
    declined = shop.shopper()
    declined.buy("tok_declined")
    wait_until(lambda: people(told(shop)) == (visitors + 2, buyers + 1), what="a visitor", seconds=60, interval=0.5)
