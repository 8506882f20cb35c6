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
from urllib.parse import urlencode

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from open_loop import percentile, report
from orders import SHOP, TRUST
from shopper import Shopper, at_home

HOST = SHOP.removeprefix("https://")
PAGES = [f"{SHOP}/", f"{SHOP}/search?q=tee", f"{SHOP}/products/tidal-rings-tee"]
PAGES_A_SECOND = 10.0


class Connection:
    """One connection of the crowd: as little as HTTP/1.1 needs, so that the crowd's own work disturbs nobody."""

    def __init__(self) -> None:
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, path: str, fields: dict[str, str]) -> tuple[str, bool]:
        """Send a form; return the status, and whether Retry-After came with it."""
        body = urlencode(fields)
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, 443, ssl=TRUST, server_hostname=HOST)
        reader, writer = self._streams
        head = f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
        if "\r\nconnection: close" in head:
            self.close()
        return head.split()[1], "\r\nretry-after:" in head

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def _crowd(clients: int, seconds: float, pause: float) -> dict[str, Any]:
    end, statuses, without, times = time.monotonic() + seconds, Counter[str](), 0, list[float]()

    async def keep_trying() -> None:
        nonlocal without
        connection = Connection()
        while time.monotonic() < end:
            account = {"email": f"{uuid.uuid4().hex}@example.org", "password": "a wrong password"}
            sent = time.monotonic()
            try:
                form = {"idempotency_key": uuid.uuid4().hex, **account}
                status, has_retry_after = await asyncio.wait_for(connection.post("/account/sign-in", form), 30)
            except (OSError, EOFError, TimeoutError) as error:
                statuses[type(error).__name__] += 1
                connection.close()
            else:
                statuses[status] += 1
                without += status == "429" and not has_retry_after
                times.append((time.monotonic() - sent) * 1000)
            await asyncio.sleep(pause)
        connection.close()

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
            form.fields |= at_home(form)
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
