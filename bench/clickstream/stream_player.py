"""The visitors as a program: `python stream_player.py URL < a pipe > the ledger`. `bench/clickstream load` starts it.

It runs where customers are, asks the shop itself what it sells, and writes a line for each batch to its standard
output, to which it gives all that it has before it ends. When its standard input ends, no more events come.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, TextIO

import httpx
import uvloop

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from stream_connections import Connections  # noqa: E402 the path comes first
from stream_ledger import end_line  # noqa: E402
from stream_plan import Plan, Posts  # noqa: E402
from stream_play import Play  # noqa: E402
from stream_visits import Crowd, Shelves  # noqa: E402

from shopsphere.foundation.trust import client_context  # noqa: E402

MOST_PAGES = 20
"""Of a category."""
TRIES, PAUSE_SECONDS = 10, 1.0
"""For a page of the shop."""
_LOCATION = re.compile(r"<loc>[^<]*?/(products|categories)/([a-z0-9-]+)</loc>")
_PRODUCT = re.compile(r'href="/products/([a-z0-9-]+)"')


def shelves_of(shop: httpx.Client) -> Shelves:
    """Return what the shop's own list of pages names, with the category of each product."""
    found = _LOCATION.findall(_page(shop, "/sitemap.xml"))
    categories = tuple(name for kind, name in found if kind == "categories")
    of: dict[str, str] = {}
    for category in categories:
        for number in range(1, MOST_PAGES + 1):
            shown = set(_PRODUCT.findall(_page(shop, f"/categories/{category}?page={number}"))) - of.keys()
            of.update(dict.fromkeys(shown, category))
            if not shown:
                break
    products = tuple((name, of.get(name, "")) for kind, name in found if kind == "products")
    if not products or not categories:
        raise SystemExit(f"expected products and categories in {shop.base_url}sitemap.xml, found {len(found)} of both")
    return Shelves(products, categories)


def _page(shop: httpx.Client, path: str) -> str:
    """Return a page; one that does not come is asked for again for a while."""
    for _ in range(TRIES - 1):
        with suppress(httpx.HTTPError):
            return _asked(shop, path)
        time.sleep(PAUSE_SECONDS)
    return _asked(shop, path)


def _asked(shop: httpx.Client, path: str) -> str:
    answer = shop.get(path)
    answer.raise_for_status()
    return answer.text


def percentile(ordered: Sequence[float], percent: int) -> float:
    """Return the nearest rank; 0 of nothing."""
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1] if ordered else 0.0


def told(play: Play, cpu: float) -> dict[str, Any]:
    """Return the facts of the last line."""
    seen, times = play.seen, sorted(play.seen.times)
    return {
        "made": seen.made,
        "batches": dict(seen.batches),
        "events": dict(seen.events),
        "answers": dict(seen.answers),
        "lost_by_tabs": seen.lost_by_tabs,
        "never_sent": seen.never_sent,
        "gap_seconds": round(seen.gap[0], 2),
        "gap_from": round(seen.gap[1]),
        "answer_ms": {f"p{each}": round(percentile(times, each), 1) for each in (50, 95, 99, 100)},
        "behind_ms": round(seen.behind, 1),
        "player_cpu_seconds": round(cpu, 2),
        "player_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "ended": round(play.now()),
    }


async def play_into(
    sink: TextIO, plan: Plan, crowd: Crowd, posts: Posts, seed: int, begun: list[Play] | None = None
) -> Play:
    """Play, and write lines; the play itself is put into `begun` as soon as it is there."""
    before = time.process_time()
    play = Play(crowd, plan, posts, lambda line: sink.write(f"{line}\n"), Random(f"{seed}:pauses"))
    if begun is not None:
        begun.append(play)
    await play.run()
    sink.write(f"{end_line(**told(play, time.process_time() - before))}\n")
    sink.flush()
    os.fsync(sink.fileno())
    return play


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--run", required=True, help="name that no other run has")
    for name, kind in (("visitors", int), ("rate", float), ("seconds", float), ("seed", int), ("partitions", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--patience", type=float, default=120)
    parser.add_argument("--settle", type=float, default=10)
    parser.add_argument("--latency", action="store_true")
    parser.add_argument("--shelves", type=Path, help="what there is, where the shop has no pages")
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    trust = client_context()
    if options.shelves:
        named = json.loads(options.shelves.read_text())
        shelves = Shelves(tuple(named["products"].items()), tuple(named["categories"]))
    else:
        with httpx.Client(base_url=options.url, verify=trust, timeout=20, trust_env=False) as shop:
            shelves = shelves_of(shop)
    plan = Plan(
        options.run, options.rate, options.seconds, options.connections, options.partitions, options.patience,
        options.settle, options.latency, shelves.products[0][0],
    )  # fmt: skip
    crowd = Crowd(shelves, options.visitors, options.seed, options.run)
    connections, begun = Connections(options.url, trust), list[Play]()

    def end_with_input() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        for play in begun:
            play.end()

    threading.Thread(target=end_with_input, daemon=True).start()
    await play_into(sys.stdout, plan, crowd, connections, options.seed, begun)
    await connections.close()


if __name__ == "__main__":
    uvloop.run(main(arguments()))
