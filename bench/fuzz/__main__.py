"""Any bytes at every door of the shop: `python bench/fuzz --requests 50000 --seed 1`.

Starts PostgreSQL, the provider, the payments service and the storefront as tests/app does, and sends them what
Hypothesis makes up: methods, paths, queries, headers, cookies and bodies of any bytes, and the forms of pages with
fields changed. Ends with code 1 at the first answer of 5xx, the first that took longer than --seconds, or when a
process has grown by more than --mebibytes. A line with the numbers is added to bench/results/fuzz.jsonl.
"""

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "app"), str(REPOSITORY / "tests" / "support")]

from judge import Judge, resident_mib  # noqa: E402 the path comes first
from player import Target, play  # noqa: E402
from postgres_cluster import Cluster  # noqa: E402
from shop_processes import Process, migrate, serve  # noqa: E402

from app.media.render import render  # noqa: E402

RESULTS = REPOSITORY / "bench" / "results" / "fuzz.jsonl"
WARM_UP = 600
"""Requests before memory is looked at: pools, caches of templates and the allocator have their size then."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0, help="longest answer")
    parser.add_argument("--mebibytes", type=float, default=32.0, help="most growth of a process after the warm-up")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    with ExitStack() as running:
        directory = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="shop-fuzz-")))
        render(directory / "rendered")
        cluster = Cluster()
        running.callback(cluster.remove)
        for database in ("commerce", "ledger"):
            done = migrate(database, cluster)
            if done.returncode:
                raise SystemExit(done.stderr)
        psp = Process("psp", {"PSP_STATE_FILE": str(directory / "books.sqlite")})
        running.callback(psp.stop)
        payments = Process("payments", {"LEDGER_DSN": cluster.service_dsn("ledger"), "PSP_URL": psp.url})
        running.callback(payments.stop)
        shop = serve(cluster, payments.url, directory / "rendered")
        running.callback(shop.stop)
        target, judge = Target(shop.url, payments.url), Judge(options.seconds)
        play(target, judge, requests=WARM_UP, number=options.seed)
        before = {"shop": resident_mib(shop.pid), "payments": resident_mib(payments.pid)}
        start = time.monotonic()
        number = options.seed
        while judge.requests < options.requests:
            number += 1
            play(target, judge, requests=min(6000, options.requests - judge.requests), number=number)
        after = {"shop": resident_mib(shop.pid), "payments": resident_mib(payments.pid)}
        growth = {name: round(after[name] - before[name], 1) for name in after}
        line = {
            "seed": options.seed, "requests": judge.requests, "seconds": round(time.monotonic() - start),
            "slowest_seconds": round(judge.slowest, 3), "growth_mib": growth,
            "statuses": {str(status): count for status, count in sorted(judge.statuses.items())},
        }  # fmt: skip
        print(json.dumps(line))
        with RESULTS.open("a") as results:
            results.write(json.dumps(line) + "\n")
        return 1 if max(growth.values()) > options.mebibytes else 0


if __name__ == "__main__":
    sys.exit(main())
