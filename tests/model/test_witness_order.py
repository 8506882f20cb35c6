"""Which voter of a witness is asked first: the one that answers in the least time, for as long as it answers."""

from __future__ import annotations

import threading

import httpx
import pytest

from shopsphere.foundation.clock import wait_until
from shopsphere.witness.gateway import Gateway, WitnessUnreachableError
from shopsphere.witness.order import VoterOrder

pytestmark = pytest.mark.requirement("the witness is asked where it answers first: a lease waits for no slow voter")
NEAR, FAR, FARTHEST = URLS = [f"http://10.0.0.{number}:2480" for number in (1, 2, 3)]


def ran(order: VoterOrder, *seconds: float | None) -> VoterOrder:
    """Have the near, the far and the farthest voter take so long, or not answer."""
    for url, each in zip(URLS, seconds, strict=True):
        if each is None:
            order.did_not_answer([url])
        else:
            order.answered(url, each)
    return order


def test_the_one_that_answers_in_the_least_time_is_asked_first() -> None:
    order = VoterOrder([FARTHEST, FAR, NEAR])
    assert order.in_order() == [FARTHEST, FAR, NEAR], "as they were given"
    assert ran(order, 0.3, 0.6, 0.4).in_order() == [NEAR, FARTHEST, FAR]


def test_one_slow_answer_says_nothing() -> None:
    order = ran(VoterOrder([FARTHEST, FAR, NEAR]), 0.3, 0.6, 0.4)
    for _ in range(3):
        assert ran(order, 0.9, 0.6, 0.4).in_order()[0] == NEAR
    assert ran(order, 0.9, 0.6, 0.4).in_order() == [FARTHEST, FAR, NEAR], "it is slow all the time"


def test_one_that_does_not_answer_is_the_last_until_it_does() -> None:
    order = ran(VoterOrder([FARTHEST, FAR, NEAR]), 0.3, 0.6, 0.4)
    assert ran(order, None, 0.6, 0.4).in_order() == [FARTHEST, FAR, NEAR]
    assert ran(order, 0.3, 0.6, 0.4).in_order()[0] == NEAR
    order.did_not_answer([NEAR, FARTHEST])
    assert order.in_order() == [FAR, NEAR, FARTHEST]


def test_a_race_ends_with_the_first_answer_and_hears_the_others() -> None:
    order, may_answer = VoterOrder(URLS), threading.Event()

    def answers(url: str) -> bool:
        return url == FAR or (may_answer.wait(30) and url == FARTHEST)

    order.race(answers)
    assert order.in_order() == [FAR, NEAR, FARTHEST], "of the others nothing is known"
    may_answer.set()
    wait_until(lambda: order.in_order() == [FAR, FARTHEST, NEAR], what="the others", seconds=30, interval=0.01)


class Voters:
    """Answer, or not; what is noted happens while one of them is asked."""

    def __init__(self, *silent: str) -> None:
        self.silent, self.asked = silent, list[str]()
        self.gateway = Gateway([FAR, NEAR, FARTHEST], transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.asked.append(url)
        if url in self.silent:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={})


def test_an_answer_alone_brings_nobody_in_front() -> None:
    voters = Voters()
    voters.gateway.order.race(lambda url: url == NEAR)
    wait_until(lambda: voters.gateway.order.in_order()[0] == NEAR, what="the race", seconds=10, interval=0.01)
    for _ in range(2):
        voters.gateway.call("/v3/kv/range", {})
    assert voters.asked == [NEAR, NEAR]


def test_one_that_failed_is_asked_after_the_one_that_answered() -> None:
    voters = Voters(FAR)
    voters.gateway.call("/v3/kv/range", {})
    assert voters.gateway.order.in_order() == [NEAR, FARTHEST, FAR]
    voters.gateway.call("/v3/kv/range", {})
    assert voters.asked == [FAR, NEAR, NEAR]


def test_one_that_is_lost_is_not_asked_first_for_ever_because_the_others_failed_once() -> None:
    voters = Voters()
    for failing in (FAR, NEAR, FARTHEST):  # as when they are started anew, one after the other
        voters.silent = (failing,)
        voters.gateway.call("/v3/kv/range", {})
    voters.silent = (voters.gateway.order.in_order()[0],)
    voters.gateway.call("/v3/kv/range", {})
    voters.asked.clear()
    voters.gateway.call("/v3/kv/range", {})
    assert len(voters.asked) == 1


def test_where_nobody_answers_the_order_stays() -> None:
    voters = Voters(NEAR, FAR, FARTHEST)
    with pytest.raises(WitnessUnreachableError):
        voters.gateway.call("/v3/kv/range", {})
    assert voters.gateway.order.in_order() == [FAR, NEAR, FARTHEST]
