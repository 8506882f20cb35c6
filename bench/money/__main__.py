"""Orders under faults at the payment provider, and whether every cent is where it belongs: `python bench/money`.

Starts PostgreSQL, two storefronts, two payments services and the simulated provider on this machine (no lab), lets
customers order, plays a fault at the provider for about 5 % of the charges (an answer lost or late, an answer that is
no answer, a charge taken twice, only authorised, of another amount or currency), and kills a process every few seconds.
Then it waits until nothing is pending, compares what the reconciliation finds with what the provider noted that it did
wrong, has the provider put its wrong charges right, and judges the books.

Each run appends a line to bench/results/money.jsonl; `--report` adds them up. Ends with code 1 when anything was wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "app"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from judging import judge
from money_report import show, write
from running import Bench

RESULTS = Path(__file__).resolve().parents[1] / "results" / "money.jsonl"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=500, help="acknowledged orders until the run ends")
    parser.add_argument("--workers", type=int, default=6, help="customers at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-percent", type=float, default=5.0, help="of the charges")
    parser.add_argument("--kill-every", type=float, default=5.0, help="mean time between two kills (s); 0 for none")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    if wanted.report:
        return show(wanted.results)
    bench = Bench(wanted.seed)
    try:
        sold = bench.sell(wanted.orders, wanted.workers, wanted.fault_percent, wanted.kill_every)
        result = {"seed": wanted.seed, "asked": wanted.orders, **sold.figures(), **judge(bench, sold)}
    finally:
        bench.close()
    write(wanted.results, result)
    return int(bool(result["violations"]))


if __name__ == "__main__":
    sys.exit(main())
