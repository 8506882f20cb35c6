"""Customers who order without pause, send a form again until it is answered, and keep what they were promised."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
from shopper import Form, Shopper, order_of

SLUGS = ("tidal-rings-tee", "aurel-one-lamp")
DECLINED_EACH = 25
PATIENCE_SECONDS = 120.0


@dataclass
class Journal:
    """What customers were promised: ids of orders."""

    wanted: int
    orders: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def is_full(self) -> bool:
        return len(self.orders) >= self.wanted

    def acknowledged(self, order: str) -> None:
        with self._lock:
            self.orders.append(order)

    def refused(self, why: str) -> None:
        with self._lock:
            self.refusals[why] += 1


class NoAnswerInTimeError(Exception):
    """A customer gave up."""


class Customer:
    """Orders one thing after another, each as a new guest."""

    def __init__(self, shops: list[str], journal: Journal, seed: int) -> None:
        self._shops = shops
        self._journal = journal
        self._random = random.Random(seed)

    def buy_on(self) -> None:
        """Order until enough was ordered."""
        while not self._journal.is_full():
            try:
                self._buy()
            except (httpx.HTTPError, AssertionError, StopIteration) as error:  # before the order: begin anew
                self._journal.refused(type(error).__name__)
                time.sleep(0.2)
            except NoAnswerInTimeError:
                self._journal.refused("no answer in time")

    def _buy(self) -> None:
        shopper = Shopper(self._random.choice(self._shops))
        try:
            added = shopper.add(self._random.choice(SLUGS))
            if added.status_code != httpx.codes.SEE_OTHER:
                self._journal.refused(f"cart: {added.status_code}")
                return
            form = shopper.checkout_form()
            declined = self._random.randrange(DECLINED_EACH) == 0
            form.fields["payment_method"] = "tok_declined" if declined else "tok_visa"
            answer = self._until_answered(shopper, form)
            if answer.status_code == httpx.codes.SEE_OTHER:
                self._journal.acknowledged(order_of(answer.headers["location"]))
            else:
                self._journal.refused(f"checkout: {answer.status_code}")
        finally:
            shopper.http.close()

    def _until_answered(self, shopper: Shopper, form: Form) -> httpx.Response:
        """Send the same form, at either shop, until the answer is final."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                answer = shopper.http.post(form.action, data=form.fields)
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer
            except httpx.HTTPError:
                pass
            time.sleep(0.3)
            shopper.http.base_url = httpx.URL(self._random.choice(self._shops))
        raise NoAnswerInTimeError
