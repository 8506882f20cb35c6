"""What tests of the export have in common: facts, releases, noise that is known, a headquarters in memory."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.bounded_http import NoAnswerError
from app.export.disclosure import Fact
from app.export.outbox import BATCH, Batch, Receipt
from app.export.release import Sealed, Signer
from app.export.schema import MoneyRow, Release
from app.export.verifying import TAKEN, Known, Register, Verdict, judge
from app.export.vocabulary import Currency, Kind, MoneyFlag, MoneyMetric, Vocabulary

DAY = date(2026, 11, 2)
REGION = 1
SMALL = Vocabulary(frozenset({1, 2, 3, 4}), frozenset({1, 2}))
"""A catalogue of four categories and two products."""


def signer(seed: int = 1) -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def fact(number: int, person: object, category: int, amount: int, metric: MoneyMetric = MoneyMetric.REVENUE) -> Fact:
    """A fact of an order of its own."""
    return Fact(UUID(int=number), person, DAY, Currency.EUR, category, metric, amount)


def crowd(first: int, people: int, category: int, amount: int = 1000) -> list[Fact]:
    """Facts of so many people, each with an order of its own; both are numbered from `first` on."""
    return [fact(first + number, first + number, category, amount) for number in range(people)]


def money_release(seq: int, day: date = DAY, *, region: int = REGION, value: int = 20) -> Release:
    row = MoneyRow(
        day=day, currency=Currency.EUR, category=None, metric=MoneyMetric.ORDERS, value=value, flag=MoneyFlag.EXACT
    )
    return Release(region=region, seq=seq, kind=Kind.MONEY, day=day, part=1, parts=1, rows=(row,))


class SeededGaussian:
    """The discrete Gaussian by exact arithmetic, of a seeded source (Canonne, Kamath, Steinke 2020)."""

    def __init__(self, seed: int, scale: int = 10, cells: int = 10) -> None:
        self._random = random.Random(seed)
        self._scale = scale
        self._cells = cells
        self.calls = 0

    def rho(self) -> float:
        return self._cells / (2 * self._scale**2)

    def noisy(self, counts: Sequence[int]) -> Sequence[int]:
        self.calls += 1
        return [count + self._drawn() for count in counts]

    def _drawn(self) -> int:
        t = self._scale + 1
        while True:
            laplace = self._laplace(t)
            # exp(-(|y| - s^2/t)^2 / (2 s^2)), as whole numbers
            above = (abs(laplace) * t - self._scale**2) ** 2
            if self._exp(above, 2 * self._scale**2 * t**2):
                return laplace

    def _laplace(self, t: int) -> int:
        while True:
            low = self._random.randrange(t)
            if not self._exp(low, t):
                continue
            high = 0
            while self._exp(1, 1):
                high += 1
            value = low + t * high
            is_negative = self._random.randrange(2) == 1
            if not (is_negative and value == 0):
                return -value if is_negative else value

    def _exp(self, above: int, below: int) -> bool:
        """True with probability exp(-above/below)."""
        while above > below:
            if not self._exp(1, 1):
                return False
            above -= below
        count = 1
        while self._random.randrange(below * count) < above:
            count += 1
        return count % 2 == 1


@dataclass
class Headquarters:
    """Headquarters in memory, and the line to it, which can be cut before or after it hears."""

    register: Register
    vocabulary: Vocabulary = SMALL
    releases: list[Sealed] = field(default_factory=list)
    known: Known = field(default_factory=Known)
    batches: list[int] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)  # what becomes of the next questions: "before", "after" or ""

    session: bytes = b""
    marks: int = 0

    async def mark(self, session: bytes) -> int:
        is_lost = self._fail_at("before", "after")
        self.session = session
        self.marks += 1
        if is_lost:
            raise NoAnswerError("the answer was lost")
        return self.known.last

    async def send(self, batch: Batch) -> Receipt:
        is_lost = self._fail_at("before", "after")
        if batch.session != self.session:
            return Receipt(region=REGION, last=self.known.last, verdict=Verdict.SUPERSEDED)
        self.batches.append(len(batch.releases))
        receipt = self._take(batch.releases)
        if is_lost:
            raise NoAnswerError("the answer was lost")
        return receipt

    async def fetch(self, after: int) -> Sequence[Sealed]:
        self._fail_at("before")
        return self.releases[after : after + BATCH]

    def _take(self, releases: Iterable[Sealed]) -> Receipt:
        for sealed in releases:
            judged = judge(sealed, self.register, REGION, self.known, self.vocabulary)
            if judged.verdict not in TAKEN:
                seq = judged.release.seq if judged.release else None
                return Receipt(region=REGION, last=self.known.last, verdict=judged.verdict, seq=seq)
            if judged.verdict is Verdict.NEW and judged.release is not None:
                self.releases.append(sealed)
                self.known = self.known.beside(sealed, judged.release)
        return Receipt(region=REGION, last=self.known.last)

    def _fail_at(self, *places: str) -> bool:
        """Fail as the next cut says; True where the answer alone is to be lost."""
        cut = self.cut.pop(0) if self.cut else ""
        if cut == "before" and cut in places:
            raise NoAnswerError("cut")
        return cut == "after" and cut in places
