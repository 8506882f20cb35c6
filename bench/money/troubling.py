"""Faults of the payment provider, as many as a share of the orders, each kind in turn."""

from __future__ import annotations

import random
import threading
from collections import Counter

import httpx
from promises import Journal

FAULTS = (
    "lose_answers", "delay_ms", "wrong_answers", "wrong_lookups", "lose_lookups", "refuse", "double", "authorise_only",
    "other_amount", "other_currency",
)  # fmt: skip
OF_THE_CHARGE = ("double", "authorise_only", "other_amount", "other_currency")
"""Two of these with one charge would be a fault that has no name in the provider's notes."""
LATE_MS = 1500  # longer than the payments service waits here


class Provider:
    """The simulated provider, as its own people see it."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=30
        )

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask for something that only its own people may."""
        return self._http.request(method, path, json=body).raise_for_status()


class Troubles:
    """Plays faults while customers order."""

    def __init__(self, provider: Provider, journal: Journal, percent: float, seed: int) -> None:
        self._provider = provider
        self._journal = journal
        self._percent = percent
        self._random = random.Random(seed)
        self._coming: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, daemon=True)
        self.played: Counter[str] = Counter()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Play no more, and take back what is still to come."""
        self._ended.set()
        self._thread.join()
        self._provider.ask("PUT", "/admin/faults", {})

    def _go_on(self) -> None:
        while not self._ended.wait(0.05):
            if self.played.total() < self._journal.served * self._percent / 100:
                self._play_next()

    def _play_next(self) -> None:
        """Add the next fault to those that are to come; a late one makes every answer late until the next is added."""
        if not self._coming:
            self._coming = self._random.sample(FAULTS, len(FAULTS))
        fault = self._coming[-1]
        try:
            waiting = self._provider.ask("GET", "/admin/faults").json()
            if fault in OF_THE_CHARGE and any(waiting[each] for each in OF_THE_CHARGE):
                return
            more = {"delay_ms": LATE_MS} if fault == "delay_ms" else {"delay_ms": 0, fault: waiting[fault] + 1}
            self._provider.ask("PUT", "/admin/faults", {**waiting, **more})
        except httpx.HTTPError:
            return  # the provider was killed; what was to come is forgotten with it
        self.played[self._coming.pop()] += 1
