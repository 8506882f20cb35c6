"""Which voter of a witness is asked first: the one that was found to be the fastest, for as long as it answers."""

from __future__ import annotations

import httpx
import pytest

from shopsphere.witness.gateway import Gateway, WitnessUnreachableError

pytestmark = pytest.mark.requirement("the witness is asked where it answers first: a lease waits for no slow voter")
NEAR, FAR, FARTHEST = (f"http://10.0.0.{number}:2480" for number in (1, 2, 3))


class Voters:
    """Answer, or not; what is noted happens while one of them is asked."""

    def __init__(self, *silent: str) -> None:
        self.silent, self.asked = silent, list[str]()
        self.gateway = Gateway([FAR, NEAR, FARTHEST], transport=httpx.MockTransport(self._answer))
        self.found_meanwhile = ""

    def _answer(self, request: httpx.Request) -> httpx.Response:
        url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.asked.append(url)
        if self.found_meanwhile:
            self.gateway.order.prefer(self.found_meanwhile)
        if url in self.silent:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={})


def test_a_slow_answer_does_not_bring_its_voter_back_in_front() -> None:
    voters = Voters()
    voters.found_meanwhile = NEAR
    voters.gateway.call("/v3/kv/range", {})
    assert (voters.asked, voters.gateway.order.in_order()[0]) == ([FAR], NEAR)


def test_one_that_does_not_answer_is_asked_after_the_one_that_did() -> None:
    voters = Voters(FAR)
    voters.gateway.call("/v3/kv/range", {})
    assert voters.gateway.order.in_order() == [NEAR, FAR, FARTHEST]
    voters.gateway.call("/v3/kv/range", {})
    assert voters.asked == [FAR, NEAR, NEAR]


def test_what_was_found_while_another_one_failed_stays() -> None:
    voters = Voters(FAR)
    voters.found_meanwhile = FARTHEST
    voters.gateway.call("/v3/kv/range", {})
    assert voters.asked == [FAR, NEAR]
    assert voters.gateway.order.in_order()[0] == FARTHEST


def test_nobody_comes_in_front_for_no_answer() -> None:
    voters = Voters(NEAR, FAR, FARTHEST)
    with pytest.raises(WitnessUnreachableError):
        voters.gateway.call("/v3/kv/range", {})
    assert voters.gateway.order.in_order() == [FAR, NEAR, FARTHEST]
