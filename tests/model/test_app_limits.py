"""Limits of one process: tries of a client, hashes of a pod, and who counts as one client."""

import asyncio
import threading
from typing import Any

import pytest

from app.customers.hashing import MOST_WAITING, Hashing, HashingFullError
from app.web import allowance
from app.web.allowance import Allowance
from app.web.clients import client_network
from app.web.requests import Request


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_client_has_some_tries_at_once_and_one_more_after_each_pause() -> None:
    clock = Clock()
    tries = Allowance(3, 10, clock)
    assert [tries.take("a") for _ in range(4)] == [0, 0, 0, 10]
    assert tries.take("b") == 0
    clock.now += 4
    assert tries.take("a") == 6
    clock.now += 6
    assert [tries.take("a"), tries.take("a")] == [0, 10]
    clock.now += 1000
    assert [tries.take("a") for _ in range(4)] == [0, 0, 0, 10]


def test_many_clients_take_bounded_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "MOST_CLIENTS", 2)
    tries = Allowance(1, 10, Clock())
    assert [tries.take(client) for client in "abca"] == [0, 0, 0, 0]
    assert tries.take("a") == 10
    assert len(tries._full_at) == 2  # noqa: SLF001 what it holds is what this is about


def test_a_pod_makes_one_hash_at_a_time_and_lets_few_wait() -> None:
    running: list[int] = []
    together = threading.Lock()

    def work() -> str:
        assert together.acquire(blocking=False)
        running.append(1)
        together.release()
        return "done"

    async def one(hashing: Hashing) -> str:
        with hashing.place():
            return await hashing.run(work)

    async def crowd() -> list[Any]:
        hashing = Hashing()
        try:
            return await asyncio.gather(*(one(hashing) for _ in range(20)), return_exceptions=True)
        finally:
            hashing.close()

    answers = asyncio.run(crowd())
    assert answers[:MOST_WAITING] == ["done"] * MOST_WAITING
    assert {type(answer) for answer in answers[MOST_WAITING:]} == {HashingFullError}
    assert len(running) == MOST_WAITING


def test_who_goes_away_leaves_no_hash_behind() -> None:
    made: list[int] = []
    begun, goes_on = threading.Event(), threading.Event()

    def work(number: int) -> None:
        made.append(number)
        begun.set()
        goes_on.wait(timeout=30)

    async def come_and_go() -> None:
        hashing = Hashing()
        try:
            crowd = [asyncio.create_task(hashing.run(work, number)) for number in range(50)]
            await asyncio.to_thread(begun.wait, 30)
            for one in crowd:
                one.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)
            goes_on.set()
            await hashing.run(work, 50)
        finally:
            hashing.close()

    asyncio.run(come_and_go())
    assert made == [0, 50]


@pytest.mark.parametrize(
    ("headers", "network"),
    [
        ([], "192.0.2.9"),
        ([(b"x-forwarded-for", b"198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"203.0.113.1, 198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"203.0.113.1"), (b"x-forwarded-for", b"198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"2001:db8:1:2:3:4:5:6")], "2001:db8:1:2::/64"),
        ([(b"x-forwarded-for", b"::ffff:198.51.100.7")], "198.51.100.7"),
        ([(b"x-forwarded-for", b"\xff\x00; DROP")], "unknown"),
    ],
)
def test_one_client_is_an_address_or_an_ipv6_site(headers: list[tuple[bytes, bytes]], network: str) -> None:
    scope: Any = {"type": "http", "headers": headers, "client": ("192.0.2.9", 4711), "state": {}}
    assert client_network(Request(scope)) == network
