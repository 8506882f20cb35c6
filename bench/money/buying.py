"""Customers behind a load balancer: they order without pause and send a form again until it is answered.

A shop that refuses a connection costs them nothing: the other one gets the form at once, as a Kubernetes Service would
do it. Where a connection breaks after the form was sent, the order may be placed already, and the other shop gets the
same form with the same key. One in DOUBLE_CLICK_EACH sends it to both shops in the same moment.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import httpx
from promises import Journal
from shopper import ADDRESS

from shopsphere.clients.html_forms import Form, NoFormError, form_in
from shopsphere.foundation.trust import usual_trust

SLUGS = ("tidal-rings-tee", "aurel-one-lamp")
DECLINED_EACH = 25
DOUBLE_CLICK_EACH = 20
PATIENCE_SECONDS = 120.0
ANSWER_SECONDS = 15.0
PAUSE_SECONDS = 0.1
"""When no shop has answered."""


class NoAnswerInTimeError(Exception):
    """A customer gave up."""


class RefusedFormError(Exception):
    """A shop answered that it does not take this form."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what}: {status}")


class Customer:
    """Orders one thing after another, each as a new guest; reads a page again only when its form was refused."""

    def __init__(self, shops: list[str], journal: Journal, seed: int) -> None:
        self._shops = shops
        self._journal = journal
        self._random = random.Random(seed)
        self._forms: dict[tuple[str, str], Form] = {}
        self._http = httpx.Client(timeout=ANSWER_SECONDS, trust_env=False, verify=usual_trust())
        self._other_hand = ThreadPoolExecutor(1)

    def buy_on(self) -> None:
        """Order until enough was ordered."""
        with self._http, self._other_hand:
            while not self._journal.is_full():
                try:
                    self._buy(self._random.choice(SLUGS))
                except NoAnswerInTimeError:
                    self._journal.refused("no answer in time")
                except (RefusedFormError, NoFormError) as error:
                    self._journal.refused(str(error) or "a page without its form")
                    self._forms.clear()
                    time.sleep(PAUSE_SECONDS)

    def _buy(self, slug: str) -> None:
        self._http.cookies.clear()
        self._send("cart", self._form(slug, f"/products/{slug}", "/cart/items"))
        form = self._form(slug, "/checkout", "/checkout")
        mark = f"{uuid4().hex}@example.org"  # tells this form from all others, in the order too
        declined = self._random.randrange(DECLINED_EACH) == 0
        form.fields |= ADDRESS | {"email": mark, "payment_method": "tok_declined" if declined else "tok_visa"}
        self._journal.sent(mark)
        again = None
        if self._random.randrange(DOUBLE_CLICK_EACH) == 0:
            again = self._other_hand.submit(self._order, mark, form, self._random.randrange(len(self._shops)))
        try:
            self._order(mark, form, self._random.randrange(len(self._shops)))
        finally:
            if again is not None:
                again.result()

    def _order(self, mark: str, form: Form, first: int) -> None:
        try:
            answer = self._until_answered("checkout", form, first)
        except RefusedFormError:
            self._journal.told_that_nothing_was_ordered(mark)
            raise
        self._journal.acknowledged(mark, answer.headers["location"].split("/")[2])

    def _form(self, slug: str, path: str, action: str) -> Form:
        """Return a form as if its page had just been read: what it says is the same for all guests, but for its key."""
        if (slug, path) not in self._forms:
            page = self._until_answered("page", Form(path, "get"), self._random.randrange(len(self._shops)))
            self._forms[slug, path] = form_in(page.text, action)
        form = self._forms[slug, path]
        return replace(form, fields=form.fields | {"idempotency_key": uuid4().hex})

    def _send(self, what: str, form: Form) -> httpx.Response:
        return self._until_answered(what, form, self._random.randrange(len(self._shops)))

    def _until_answered(self, what: str, form: Form, first: int) -> httpx.Response:
        """Send the same form, at one shop after the other, until the answer is final.

        Raises:
            RefusedFormError: the answer is that the form is not taken.
            NoAnswerInTimeError: none came.
        """
        expected = httpx.codes.OK if form.method == "get" else httpx.codes.SEE_OTHER
        end = time.monotonic() + PATIENCE_SECONDS
        for attempt in itertools.count():
            if self._journal.is_stopped or time.monotonic() > end:
                raise NoAnswerInTimeError
            if attempt and attempt % len(self._shops) == 0:
                self._journal.waited("pause", PAUSE_SECONDS)
                time.sleep(PAUSE_SECONDS)
            address = f"{self._shops[(first + attempt) % len(self._shops)]}{form.action}"
            start = time.monotonic()
            try:
                answer = self._http.request(form.method.upper(), address, data=form.fields or None)
            except httpx.HTTPError as error:
                why = type(error).__name__
                self._journal.refused(why)
                self._journal.waited(why, time.monotonic() - start)
                continue
            if answer.status_code == expected:
                self._journal.waited(what, time.monotonic() - start)
                return answer
            self._journal.waited(f"{what}: {answer.status_code}", time.monotonic() - start)
            if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                raise RefusedFormError(what, answer.status_code)
            self._journal.refused(f"{what}: {answer.status_code}")
        raise AssertionError  # the loop returns or raises


def start(shops: list[str], journal: Journal, workers: int, seed: int) -> list[threading.Thread]:
    """Let so many customers order at a time."""
    threads = [
        threading.Thread(target=Customer(shops, journal, seed * 1000 + number).buy_on, daemon=True)
        for number in range(workers)
    ]
    for thread in threads:
        thread.start()
    return threads
