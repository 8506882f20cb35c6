"""A short run of bench/fuzz: some hundred requests that nobody should send."""

import sys

import pytest
from running_shop import Shop

from shopsphere.foundation.paths import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "bench" / "fuzz"))

from judge import Judge
from player import Target, play

REQUESTS = 400


@pytest.mark.requirement("any bytes in any header, cookie, query, path or body get a page or 4xx")
def test_nothing_that_can_be_sent_is_a_fault(shop: Shop) -> None:
    judge = Judge(longest_seconds=30)
    play(Target(shop.storefront.url, shop.payments.url), judge, requests=REQUESTS, number=1)
    assert judge.requests > REQUESTS // 4
    assert 200 in judge.statuses
    assert 303 in judge.statuses
