"""Orders under faults at the payment provider, and whether every cent is where it belongs: `python bench/money`.

Starts PostgreSQL, two storefronts, two payments services and the simulated provider on this machine (no lab), lets
customers order, plays a fault at the provider for about 5 % of the charges (an answer lost or late, an answer that is
no answer, a charge taken twice, only authorised, of another amount or currency), and kills a process every few seconds.
Then it waits until nothing is pending, compares what the reconciliation finds with what the provider noted that it did
wrong, has the provider put its wrong charges right, and judges the books.

Each run that comes to its end appends a line to bench/results/money.jsonl; `--report` adds them up. Ends with code 1
when anything was wrong; the run's folder (databases, the provider's books, logs) stays then, and its line names it.
`--portions 20` makes 20 runs with seeds from `--seed` on, and stops at the first that is wrong.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "app"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import portions
from ending import end
from money_report import show, write
from running import Shop
from selling import Asked, sell

RESULTS = Path(__file__).resolve().parents[1] / "results" / "money.jsonl"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=500, help="acknowledged orders until the run ends")
    parser.add_argument("--workers", type=int, default=16, help="customers at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--portions", type=int, default=1, help="runs, with this seed and the following ones")
    parser.add_argument("--fault-percent", type=float, default=5.0, help="of the charges")
    parser.add_argument("--kill-every", type=float, default=5.0, help="mean time between two kills (s); 0 for none")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


def run(wanted: argparse.Namespace) -> int:
    """Make one run."""
    asked = Asked(wanted.orders, wanted.workers, wanted.fault_percent, wanted.kill_every, wanted.seed)
    shop, is_wrong = Shop(), False
    try:
        shop.open()
        sold = sell(shop, asked)
        print(portions.SOLD, sold.journal.served, f"orders in {sold.seconds:.0f} s", flush=True)
        result = {"seed": asked.seed, "asked": asked.orders, **sold.figures(), **end(shop, sold)}
        is_wrong = bool(result["violations"])
        if is_wrong:
            (shop.folder / "promises.json").write_text(json.dumps(sold.journal.orders))
            result["kept"] = str(shop.folder)
        write(wanted.results, result)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # one is enough; the rest must not leave anything behind
        shop.close(keep=is_wrong)
    return int(is_wrong)


def main() -> int:
    wanted = arguments()
    if wanted.report:
        return show(wanted.results)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if wanted.portions == 1:
            return run(wanted)
        names = ("orders", "workers", "fault_percent", "kill_every", "results")
        passed_on = [f"--{name.replace('_', '-')}={getattr(wanted, name)}" for name in names]
        return portions.run(wanted.seed, wanted.portions, passed_on)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
