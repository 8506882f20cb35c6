"""Customers who order without pause and keep a journal of what they were promised.

Run at a client host: shopsphere lab exec client-eu -- .venv/bin/python bench/orders.py --seconds 60 --workers 4
Each worker fills a cart, checks out, and sends the same form again (same idempotency key, new connection, name asked
anew) until the shop gives an answer that is final. Prints one JSON object: `orders` (id, when first sent, when
acknowledged: seconds of the machine's monotonic clock), `failures` by kind with first and last time, and `gap`: the
longest time between two acknowledgements, with its begin and end.
"""

import argparse
import json
import ssl
import sys
import threading
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from shopper import ADDRESS, Shopper, order_of

TRUST = ssl.create_default_context()  # the host's authorities, the lab's among them
SHOP = "https://www.shopsphere.test"
PAUSE = 0.2
PATIENCE = 180.0
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 8.0


class Journal:
    def __init__(self):
        self.orders, self.failures = [], defaultdict(list)
        self._lock = threading.Lock()

    def acknowledged(self, order, sent, now):
        with self._lock:
            self.orders.append({"order": order, "sent": sent, "acknowledged": now})

    def failed(self, kind):
        with self._lock:
            self.failures[kind].append(time.monotonic())


class Customer:
    def __init__(self, journal, end):
        self.journal, self.end = journal, end
        self.cookies = httpx.Cookies()

    def _again(self, action):
        """Call `action` with a fresh connection until it returns something, or patience ends."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            shopper = Shopper(SHOP, trust=TRUST)
            shopper.http.timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
            shopper.http.cookies = self.cookies
            try:
                found = action(shopper)
                self.cookies = shopper.http.cookies
                if found is not None:
                    return found
            except httpx.HTTPError as error:
                self.journal.failed(type(error).__name__)
            except AssertionError as error:
                self.journal.failed(str(error).split("\n")[0][:60])
            except StopIteration:
                self.journal.failed("page without the form")
            finally:
                shopper.http.close()
            time.sleep(PAUSE)
        return None

    def _fill(self, shopper):
        answer = shopper.add()
        if answer.status_code != 303:
            self.journal.failed(f"cart: {answer.status_code}")
            return None
        form = shopper.form("/checkout", "/checkout")
        # The country stays as the form has it: a shop delivers in its own jurisdiction.
        form.fields |= {name: value for name, value in ADDRESS.items() if name != "country"}
        return form

    def order(self):
        form = self._again(self._fill)
        if form is None:
            return
        sent = time.monotonic()

        def check_out(shopper):
            answer = shopper.send(form, payment_method="tok_visa")
            if answer.status_code == 303 and "/orders/" in answer.headers["location"]:
                return order_of(answer.headers["location"])
            self.journal.failed(f"checkout: {answer.status_code}")
            return None

        order = self._again(check_out)
        if order:
            self.journal.acknowledged(order, sent, time.monotonic())

    def run(self):
        while time.monotonic() < self.end:
            self.order()


def summary(journal):
    times = sorted(each["acknowledged"] for each in journal.orders)
    gaps = [(later - earlier, earlier, later) for earlier, later in pairwise(times)]
    longest = max(gaps, default=(0, 0, 0))
    failures = {
        kind: {"count": len(at), "first": min(at), "last": max(at)} for kind, at in sorted(journal.failures.items())
    }
    gap = dict(zip(("seconds", "from", "to"), longest, strict=True))
    return {"count": len(times), "gap": gap, "failures": failures, "orders": journal.orders}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="at most 900")
    parser.add_argument("--workers", type=int, default=4, help="at most 16")
    arguments = parser.parse_args()
    if not (0 < arguments.seconds <= 900 and 0 < arguments.workers <= 16):
        parser.error("seconds must be in (0, 900] and workers in (0, 16]")
    journal, end = Journal(), time.monotonic() + arguments.seconds
    threads = [threading.Thread(target=Customer(journal, end).run, daemon=True) for _ in range(arguments.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(arguments.seconds + 2 * PATIENCE)
    json.dump(summary(journal), sys.stdout)


if __name__ == "__main__":
    main()
