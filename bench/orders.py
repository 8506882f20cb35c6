"""Customers who order without pause and keep a journal of what they were promised.

Run at a client host:

    shopsphere lab exec client-eu -- "$PWD/.venv/bin/python" "$PWD/bench/orders.py" --seconds 60 --workers 4

Each worker fills a cart, checks out, and sends the same form again (same idempotency key, new connection, name asked
anew) until the shop gives an answer that is final: an order, or a refusal, after which it begins anew.
`--direct ADDRESS` adds a customer who passes DNS by and tries one site all the time. `--patient` customers do what a
503 with Retry-After asks for; anything else that is no page is an error which they see, and counts as `patient: ...`.
`--readers` only look at the home page, every 200 ms. With `--pace SECONDS` everybody pauses so long after an order, and
after a try that passes DNS by; without it the customers take all the processor time that there is. It ends after
`--seconds`, with `--attended` earlier when its standard input does (so that customers never outlive who started them),
and gives what is under way a little time.

Prints one JSON object: `orders` (id, when first sent, when acknowledged: seconds of the machine's monotonic clock, and
the site that acknowledged, and whether it said that the payment was made), `writes` (of every write that a site took, a
cart or an order: when the request that it answered was sent, when the answer came, and the site), `failures` by kind
with how often, the first and last time and all `times` (`direct: ...` are those of customers who pass DNS by), `gap`:
the longest time without an acknowledgement for customers who use the public name, with its begin and end (the end of
the journal, if it had not ended then), and `browse_gap` likewise for pages.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
from shopper import Shopper, at_home, order_of

from shopsphere.clients.html_forms import Form, NoFormError
from shopsphere.foundation.trust import client_context

TRUST = client_context()  # the host's authorities, the lab's among them
SHOP = "https://www.shopsphere.test"
PATIENT, DIRECT = "patient: ", "direct: "
PAUSE = 0.2
PATIENCE = 180.0
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 8.0
Found = TypeVar("Found")


class Receipt(NamedTuple):
    """What a shop said of an order that it took."""

    order: str
    site: str
    paid: bool


REFUSED = Receipt("", "", paid=False)


class Journal:
    def __init__(self) -> None:
        self.orders: list[dict[str, Any]] = []
        self.failures: defaultdict[str, list[float]] = defaultdict(list)
        self.pages: list[float] = []
        self.writes: list[tuple[float, float, str]] = []
        self._lock = threading.Lock()

    def acknowledged(self, order: str, sent: float, now: float, by: str, **facts: bool) -> None:
        with self._lock:
            self.orders.append({"order": order, "sent": sent, "acknowledged": now, "by": by, **facts})

    def written(self, sent: float, site: str) -> None:
        """Note that a site has taken a write, whatever it was, between `sent` and now."""
        with self._lock:
            self.writes.append((sent, time.monotonic(), site))

    def failed(self, kind: str) -> None:
        with self._lock:
            self.failures[kind].append(time.monotonic())


class OneAddress(httpx.HTTPTransport):
    """Connects to one address, whatever the name in the URL is."""

    def __init__(self, address: str) -> None:
        super().__init__(verify=TRUST, trust_env=False)
        self._address = address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # Another request: the client looks for cookies under the name that it asked for.
        there = httpx.Request(
            request.method,
            request.url.copy_with(host=self._address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": request.url.host},
        )
        return super().handle_request(there)


class Ending:
    """When to stop: `seconds` after the beginning; what is under way then has until `patience` is over."""

    def __init__(self, seconds: float, patience: float) -> None:
        self.begin = time.monotonic()
        self.end, self.patience = self.begin + seconds, patience

    def now(self) -> None:
        self.end, self.patience = time.monotonic(), 5.0

    def has_come(self) -> bool:
        return time.monotonic() >= self.end

    def is_over(self) -> bool:
        return time.monotonic() >= self.end + self.patience


class Customer:
    def __init__(self, journal: Journal, ending: Ending, address: str | None = None, pace: float = 0.0) -> None:
        self.journal, self.ending, self.address, self.pace = journal, ending, address, pace
        self.cookies = httpx.Cookies()
        self.asked_to_wait = 0.0  # by the last answer, in seconds
        self.sent = 0.0  # the last request

    def failed(self, kind: str) -> None:
        self.journal.failed(f"{DIRECT}{kind}" if self.address else kind)

    def pause(self) -> float:
        return max(PAUSE, self.pace) if self.address else 2 * PAUSE

    def _note_request(self, _request: httpx.Request) -> None:
        self.sent = time.monotonic()

    def _note_answer(self, answer: httpx.Response) -> None:
        self.asked_to_wait = float(answer.headers.get("retry-after", 0)) if answer.status_code == 503 else 0.0

    def _shopper(self) -> Shopper:
        shopper = Shopper(SHOP, trust=TRUST)
        if self.address:
            shopper.http.close()
            shopper.http = httpx.Client(base_url=SHOP, transport=OneAddress(self.address))
        shopper.http.timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        shopper.http.event_hooks = {"request": [self._note_request], "response": [self._note_answer]}
        return shopper

    def _again(self, action: Callable[[Shopper], Found | None]) -> Found | None:
        """Call `action` with a fresh connection until it returns something, or patience ends."""
        while not self.ending.is_over():
            shopper = self._shopper()
            shopper.http.cookies, self.asked_to_wait = self.cookies, 0.0
            try:
                found = action(shopper)
                self.cookies = shopper.http.cookies
                if found is not None:
                    return found
            except httpx.HTTPError as error:
                self.failed(type(error).__name__)
            except AssertionError as error:
                self.failed(str(error).split("\n")[0][:60])
            except NoFormError:
                self.failed("page without the form")
            finally:
                shopper.http.close()
            time.sleep(self.pause())
        return None

    def _fill(self, shopper: Shopper) -> Form | None:
        answer = shopper.add()
        if answer.status_code != 303:
            self.failed(f"cart: {answer.status_code}")
            return None
        self.journal.written(self.sent, answer.headers["x-served-by"])
        form = shopper.form("/checkout", "/checkout")
        form.fields |= at_home(form)
        return form

    def _is_paid(self, shopper: Shopper, receipt: str) -> bool:
        """Whether the shop says that it has the money; a receipt that does not arrive says nothing."""
        try:
            return "state-paid" in shopper.get(receipt).text
        except (httpx.HTTPError, AssertionError):
            return False

    def order(self) -> None:
        self.cookies = httpx.Cookies()  # another customer: the shop bounds what one may buy in a short time
        form = self._again(self._fill)
        if form is None:
            return
        sent = time.monotonic()

        def check_out(shopper: Shopper) -> Receipt | None:
            answer = shopper.send(form, payment_method="tok_visa")
            if answer.status_code == 303 and "/orders/" in answer.headers["location"]:
                site = answer.headers["x-served-by"]
                self.journal.written(self.sent, site)
                receipt = answer.headers["location"]
                return Receipt(order_of(receipt), site, self._is_paid(shopper, receipt))
            self.failed(f"checkout: {answer.status_code}")
            return REFUSED if answer.is_client_error else None  # a cart can be gone with the site that had it

        found = self._again(check_out)
        if found is not None and found is not REFUSED:
            order, by, paid = found
            self.journal.acknowledged(order, sent, time.monotonic(), by, paid=paid, public=not self.address)

    def run(self) -> None:
        while not self.ending.has_come():
            self.order()
            time.sleep(self.pause() if self.address else self.pace)


class PatientCustomer(Customer):
    def failed(self, kind: str) -> None:
        if not self.asked_to_wait:
            self.journal.failed(f"{PATIENT}{kind}")

    def pause(self) -> float:
        return self.asked_to_wait or 2 * PAUSE


class Reader(Customer):
    def run(self) -> None:
        while not self.ending.has_come():
            shopper = self._shopper()
            shopper.http.timeout = CONNECT_SECONDS
            try:
                shopper.get("/")
                self.journal.pages.append(time.monotonic())
            except (httpx.HTTPError, AssertionError) as error:
                self.journal.failed(f"page: {type(error).__name__}")
            finally:
                shopper.http.close()
            time.sleep(PAUSE)


def longest_gap(times: Iterable[float]) -> dict[str, float]:
    gaps = [(later - earlier, earlier, later) for earlier, later in pairwise(sorted(times))]
    return dict(zip(("seconds", "from", "to"), max(gaps, default=(0, 0, 0)), strict=True))


def summary(journal: Journal, begin: float, end: float) -> dict[str, Any]:
    public = [each["acknowledged"] for each in journal.orders if each["public"]]
    failures = {
        kind: {"count": len(at), "first": min(at), "last": max(at), "times": sorted(at)}
        for kind, at in sorted(journal.failures.items())
    }
    return {
        "count": len(journal.orders),
        "gap": longest_gap([begin, *public, end]),
        "browse_gap": longest_gap([begin, *journal.pages, end]),
        "failures": failures,
        "orders": journal.orders,
        "writes": journal.writes,
    }


def end_with_input(ending: Ending) -> None:
    """Whoever started the customers closes the pipe to them, or dies, which closes it too."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    ending.now()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="at most 7200")
    parser.add_argument("--workers", type=int, default=4, help="at most 16")
    parser.add_argument("--patient", type=int, default=0, help="at most 4")
    parser.add_argument("--readers", type=int, default=0, help="at most 4")
    parser.add_argument("--direct", action="append", default=[], metavar="ADDRESS", help="of a site; may be repeated")
    parser.add_argument("--pace", type=float, default=0, metavar="SECONDS", help="at most 10; default: no pause")
    parser.add_argument("--attended", action="store_true", help="end when the standard input ends")
    arguments = parser.parse_args()
    if not (0 < arguments.seconds <= 7200 and 0 < arguments.workers <= 16 and 0 <= arguments.pace <= 10):
        parser.error("seconds must be in (0, 7200], workers in (0, 16], and pace in [0, 10]")
    journal, ending = Journal(), Ending(arguments.seconds, PATIENCE)
    if arguments.attended:
        threading.Thread(target=end_with_input, args=(ending,), daemon=True).start()
    pace = arguments.pace
    people = [Customer(journal, ending, pace=pace) for _ in range(arguments.workers)]
    people += [Customer(journal, ending, address, pace) for address in arguments.direct]
    people += [PatientCustomer(journal, ending, pace=pace) for _ in range(min(arguments.patient, 4))]
    people += [Reader(journal, ending) for _ in range(min(arguments.readers, 4))]
    threads = [threading.Thread(target=one.run, daemon=True) for one in people]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) and not ending.is_over():
        time.sleep(0.1)
    json.dump(summary(journal, ending.begin, ending.end), sys.stdout)


if __name__ == "__main__":
    main()
