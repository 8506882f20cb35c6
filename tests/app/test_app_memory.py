"""Memory stays flat, whatever bodies, questions and cookies come."""

import random
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from running_shop import Shop

GROWTH_MIB = 24
"""What allocator and pools may still take after the warm-up; 1,024 kept forms of 15 kB would be 60 MiB and more."""


def _resident_mib(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@pytest.mark.requirement("memory is bounded by bytes: nothing that a stranger sends is kept")
def test_different_bodies_queries_and_cookies_leave_no_memory_behind(shop: Shop) -> None:
    made_up = random.Random(7)

    def send(count: int) -> None:
        with httpx.Client(base_url=shop.storefront.url, timeout=60, trust_env=False) as client:
            for _ in range(count):
                noise = made_up.randbytes(7_000).hex()
                fields = {"idempotency_key": uuid4().hex, "product": noise}
                answer = client.post("/cart/items", data=fields)
                assert answer.status_code in {413, 422}
                query = {f"f{number}": noise[number * 8 : number * 8 + 8] for number in range(60)}
                cookie = "; ".join(f"c{number}={noise[number * 9 : number * 9 + 9]}" for number in range(600))
                answer = client.get("/readyz", params=query, headers={"cookie": cookie})
                assert answer.status_code == 200
                answer = client.get("/search", params={"q": noise[:40], **query}, headers={"cookie": cookie})
                assert answer.status_code == 200

    send(60)
    before = _resident_mib(shop.storefront.pid)
    send(600)
    assert _resident_mib(shop.storefront.pid) - before < GROWTH_MIB
