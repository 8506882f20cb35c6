"""A crowd at the sign-in form, and what everybody else is answered meanwhile.

Run at a client host:
    shopsphere lab exec client-eu -- $PWD/.venv/bin/python $PWD/bench/sign_ins.py --clients 60 --seconds 30
Each of the crowd tries passwords of accounts that do not exist, again `--pause` seconds after an answer, whatever it
is. Beside it pages are read at a fixed rate (open_loop.py), and one customer orders without pause. The three are
processes of their own, so that none waits for another's client. A gateway's limit per source answers most of one
host's crowd; to let it reach the shop, raise `signInsPerMinutePerSource` in the stack's file first.

Prints one JSON object: `sign_ins` (answers by status, how many 429 came without Retry-After, ms), `pages` (as
open_loop.py), `checkouts` (ms of the answer to "Order and pay", failures).
"""

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from open_loop import percentile, report
from orders import SHOP, TRUST
from shopper import ADDRESS, Shopper

PAGES = [f"{SHOP}/", f"{SHOP}/search?q=tee", f"{SHOP}/products/tidal-rings-tee"]
PAGES_A_SECOND = 10.0


async def _crowd(clients: int, seconds: float, pause: float) -> dict[str, Any]:
    end, statuses, without, times = time.monotonic() + seconds, Counter[str](), 0, list[float]()

    async def keep_trying() -> None:
        nonlocal without
        async with httpx.AsyncClient(verify=TRUST, timeout=30, trust_env=False) as client:
            while time.monotonic() < end:
                body = {"idempotency_key": uuid.uuid4().hex, "email": f"{uuid.uuid4().hex}@example.org"}
                sent = time.monotonic()
                try:
                    answer = await client.post(f"{SHOP}/account/sign-in", data={**body, "password": "a wrong password"})
                except httpx.HTTPError as error:
                    statuses[type(error).__name__] += 1
                else:
                    statuses[str(answer.status_code)] += 1
                    without += answer.status_code == 429 and "retry-after" not in answer.headers
                    times.append((time.monotonic() - sent) * 1000)
                await asyncio.sleep(pause)

    await asyncio.gather(*(keep_trying() for _ in range(clients)))
    return {"answers": dict(statuses), "429 without Retry-After": without, "ms": spread(times)}


def crowd(clients: int, seconds: float, pause: float) -> dict[str, Any]:
    return asyncio.run(_crowd(clients, seconds, pause))


def checkouts(seconds: float) -> dict[str, Any]:
    """Order again and again, each time as another customer."""
    end, times, failures = time.monotonic() + seconds, list[float](), Counter[str]()
    while time.monotonic() < end:
        shopper = Shopper(SHOP, trust=TRUST)
        try:
            added = shopper.add()
            assert added.status_code == 303, f"cart: {added.status_code}"
            form = shopper.form("/checkout", "/checkout")
            form.fields |= {name: value for name, value in ADDRESS.items() if name != "country"}
            sent = time.monotonic()
            answer = shopper.send(form, payment_method="tok_visa")
            assert answer.status_code == 303, f"checkout: {answer.status_code}"
            times.append((time.monotonic() - sent) * 1000)
        except (httpx.HTTPError, AssertionError) as error:
            failures[str(error).split("\n")[0][:60] or type(error).__name__] += 1
        finally:
            shopper.http.close()
        time.sleep(0.2)
    return {"failures": dict(failures), "ms": spread(times)}


def spread(times: list[float]) -> dict[str, float]:
    """Count and percentiles of milliseconds."""
    if not times:
        return {"count": 0}
    return {"count": len(times), **{f"p{int(s * 100)}": percentile(times, s) for s in (0.5, 0.95)}, "max": max(times)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=60, help="size of the crowd, at most 500")
    parser.add_argument("--seconds", type=float, default=30, help="at most 600")
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between an answer and the next try")
    arguments = parser.parse_args()
    if not (0 <= arguments.clients <= 500 and 0 < arguments.seconds <= 600 and 0 <= arguments.pause <= 60):
        parser.error("clients must be in [0, 500], seconds in (0, 600] and pause in [0, 60]")
    with ProcessPoolExecutor(3) as pool:
        tries = pool.submit(crowd, arguments.clients, arguments.seconds, arguments.pause)
        orders = pool.submit(checkouts, arguments.seconds)
        pages = pool.submit(report, PAGES, PAGES_A_SECOND, arguments.seconds)
        found = {"sign_ins": tries.result(), "pages": pages.result(), "checkouts": orders.result()}
    json.dump(found, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
