"""An open-loop client: sends at a fixed rate whatever the answers do, and reports what each request met.

Run at a client host: shopsphere lab exec client-eu -- python bench/open_loop.py --rate 50 --seconds 60 URL [URL ...]
Latency counts from the moment a request was due, so that a stall is not hidden by the requests it kept from being sent.
Prints one JSON object: sent, failed, failures (first ten), and milliseconds per URL (p50, p95, p99, max).
"""

import argparse
import asyncio
import json
import ssl
import sys
import time
from collections import defaultdict
from typing import Any

import httpx


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


async def one(
    client: httpx.AsyncClient, url: str, due: float, times: dict[str, list[float]], failures: list[str]
) -> None:
    try:
        answer = await client.get(url)
        if answer.status_code >= 400:
            failures.append(f"{url}: {answer.status_code}")
            return
    except httpx.HTTPError as error:
        failures.append(f"{url}: {type(error).__name__} {error}")
        return
    times[url].append((time.monotonic() - due) * 1000)


async def load(urls: list[str], rate: float, seconds: float) -> tuple[int, dict[str, list[float]], list[str]]:
    times: defaultdict[str, list[float]] = defaultdict(list)
    failures: list[str] = []
    tasks: set[asyncio.Task[None]] = set()
    context = ssl.create_default_context()
    # A gateway ends a connection that is idle for 4 s. A browser sends a page's request again that met such an end;
    # this client does not, so that no request is lost unseen: it keeps a connection for a shorter time.
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=1.5)
    async with httpx.AsyncClient(verify=context, timeout=10, limits=limits) as client:
        start = time.monotonic()
        total = int(rate * seconds)
        for number in range(total):
            due = start + number / rate
            await asyncio.sleep(max(0, due - time.monotonic()))
            task = asyncio.create_task(one(client, urls[number % len(urls)], due, times, failures))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if tasks:
            await asyncio.wait(tasks, timeout=15)
    return total, times, failures


def report(urls: list[str], rate: float, seconds: float) -> dict[str, Any]:
    """Load the pages and return what is printed."""
    sent, times, failures = asyncio.run(load(urls, rate, seconds))
    answered = {
        url: {
            "count": len(ms),
            **{f"p{int(s * 100)}": percentile(ms, s) for s in (0.5, 0.95, 0.99)},
            "max": round(max(ms), 1),
        }
        for url, ms in times.items()
    }
    return {"sent": sent, "failed": len(failures), "failures": failures[:10], "ms": answered}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="requests per second, at most 500")
    parser.add_argument("--seconds", type=float, default=60, help="at most 600")
    parser.add_argument("urls", nargs="+")
    arguments = parser.parse_args()
    if not (0 < arguments.rate <= 500 and 0 < arguments.seconds <= 600):
        parser.error("rate must be in (0, 500] and seconds in (0, 600]")
    json.dump(report(arguments.urls, arguments.rate, arguments.seconds), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
