"""Secrets renewed under load: `python bench/rotation --pair rdc-a --kill-at-each-step`.

Needs the lab with the pair deployed. For each kind of secret (--kind NAME, may be repeated; default: all) customers
order while `shopsphere rotate` renews it. With --kill-at-each-step the operator's machine dies in each step of it, in
the middle of what the step does, with all processes that it started; after each death the same command goes on.

Violations: a lost or doubled order or payment, an error to a customer who waits as long as a 503 asks, the ledger not
at both sites again, a secret that is not the same in both stacks, an old secret in a stack, in a cluster or in a pod, a
new one that its door refuses or an old one that it takes, and a cart of before that is not its customer's any more.

Every run appends one line to bench/results/rotation.jsonl (or --results); `--report` prints what they say. A rotation
that an earlier run left unfinished is finished first. Ends with code 1 when something was violated or not judged.
"""

import argparse
import signal
import sys
import traceback
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "safety"))

from customers import CLIENTS, fill_stock
from driver import carry_out, write
from pair import PairUnderTest
from rotating import finish_what_is_left
from rotations import rotated
from rotations_table import show

from shopsphere.estate.renewal import KINDS

RESULTS = Path(__file__).resolve().parent.parent / "results" / "rotation.jsonl"
CUSTOMERS_SECONDS = 7200.0
"""Longer than any rotation: customers are told to end when it is over."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="rdc-a", choices=sorted(CLIENTS))
    parser.add_argument("--kind", action="append", choices=list(KINDS), help="may be repeated; default: all")
    parser.add_argument("--kill-at-each-step", action="store_true")
    parser.add_argument("--seed", type=int, default=1, help="decides when in a step the kill comes")
    parser.add_argument("--pace", type=float, default=1.0, metavar="SECONDS", help="pause of customers after an order")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--report", action="store_true")
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    if wanted.report:
        return show(wanted.results)
    for interruption in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us in the background
        signal.signal(interruption, signal.default_int_handler)
    pair, bad = PairUnderTest(wanted.pair), False
    for number, kind in enumerate(wanted.kind or KINDS, 1):
        name = f"rotate-{kind}{'-killed' if wanted.kill_at_each_step else ''}"
        try:
            finish_what_is_left(pair.witness)
            pair.repair()
            fill_stock(pair.record().active)
            fault = rotated(kind, kills=wanted.kill_at_each_step)
            result = carry_out(
                pair, name, fault, wanted.seed, number, pace=wanted.pace, seconds=CUSTOMERS_SECONDS
            )  # fmt: skip
        except KeyboardInterrupt:
            print("stopped: an unfinished rotation is finished by the next run, or by `rotate` again", file=sys.stderr)
            return 130
        except Exception as error:  # noqa: BLE001 a run that could not be judged is a result, and no good one
            traceback.print_exc()
            result = {"fault": name, "seed": wanted.seed, "run": number, "pair": wanted.pair}
            result["error"] = f"{error}"[-800:]
        write(wanted.results, result)
        bad |= bool(result.get("violations") or "error" in result)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
