"""Releases reach headquarters once each and in their order, whoever is away, and none is made a second time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from export_world import DAY, REGION, Headquarters, money_release, signer
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ReadOnlyDatabaseError
from app.export.delivery import REFUSED_SECONDS, Delivery, State, StrangeReleaseError
from app.export.outbox import BATCH, Batch, BehindError, Receipt, Standing
from app.export.release import Sealed, read
from app.export.verifying import Register, Verdict

pytestmark = pytest.mark.requirement("headquarters away for a day costs nothing, and a failover repeats no draw")

OURS = signer(1)


@dataclass
class Region:
    """A region's outbox in memory; `draws` counts what was made, by day. A promotion is another lineage."""

    releases: list[Sealed] = field(default_factory=list)
    confirmed: int = 0
    lineage: int = 1
    follows: bool = False
    draws: dict[int, int] = field(default_factory=dict)
    noise: int = 20

    async def standing(self) -> Standing:
        return self.here

    @property
    def here(self) -> Standing:
        return Standing(len(self.releases), "" if self.follows else str(self.lineage))

    def may_make(self, gone: Standing | None) -> bool:
        """As the exporter asks its database before each draw."""
        return gone is not None and gone.lineage == self.here.lineage and len(self.releases) >= gone.seq

    async def after(self, seq: int) -> Sequence[Sealed]:
        return self.releases[seq : seq + BATCH]

    async def confirm(self, seq: int) -> str:
        if self.follows:
            raise ReadOnlyDatabaseError("the database takes no writes now")
        if seq > len(self.releases):
            raise BehindError(f"no release {seq}")
        self.confirmed = max(self.confirmed, seq)
        return str(self.lineage)

    async def adopt(self, releases: Sequence[Sealed]) -> None:
        for each in releases:
            if read(each.body).seq != len(self.releases) + 1 or each.signer != OURS.seal(money_release(1)).signer:
                raise StrangeReleaseError("not ours, or not the next one")
            self.releases.append(each)

    def make(self, count: int = 1) -> None:
        """Make releases of the next days; each draw is another one."""
        for _ in range(count):
            seq = len(self.releases) + 1
            self.noise += 1
            self.draws[seq] = self.draws.get(seq, 0) + 1
            self.releases.append(OURS.seal(money_release(seq, DAY + timedelta(days=seq), value=self.noise)))


def headquarters() -> Headquarters:
    return Headquarters(Register({REGION: [OURS.public]}))


def turns(delivery: Delivery, count: int = 1) -> list[float | None]:
    async def run() -> list[float | None]:
        return [await delivery.turn() for _ in range(count)]

    return asyncio.run(run())


def test_what_waits_goes_in_batches_of_64_in_one_turn() -> None:
    region, hq = Region(), headquarters()
    region.make(150)
    delivery = Delivery(region, hq)
    assert turns(delivery) == [None]
    assert hq.batches == [64, 64, 22]
    assert hq.releases == region.releases
    assert (region.confirmed, delivery.gone, delivery.state) == (150, Standing(150, "1"), State.IN_STEP)
    assert turns(delivery) == [None]
    assert len(hq.batches) == 3, "nothing waits, nothing is sent"
    region.make()
    turns(delivery)
    assert hq.batches == [64, 64, 22, 1]


def test_headquarters_away_for_a_day_costs_a_question_a_minute_and_nothing_else() -> None:
    region, hq = Region(), headquarters()
    delivery = Delivery(region, hq)
    turns(delivery)
    region.make(3)
    hq.cut = ["before"] * 9
    assert turns(delivery, 9) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]
    assert (delivery.state, delivery.gone) == (State.AWAY, Standing(3, "1")), (
        "what may have left is known, so days can be drawn"
    )
    assert hq.batches == []
    assert turns(delivery) == [None]
    assert hq.releases == region.releases
    hq.cut = ["before"]
    region.make()
    assert turns(delivery) == [1.0], "after an answer the pauses begin anew"


def test_an_answer_that_was_lost_is_asked_for_and_nothing_is_sent_twice() -> None:
    region, hq = Region(), headquarters()
    region.make(70)
    hq.cut = ["", "after"]
    delivery = Delivery(region, hq)
    assert turns(delivery) == [1.0]
    assert (hq.known.last, region.confirmed) == (64, 0)
    assert turns(delivery) == [None]
    assert hq.batches == [64, 6]
    assert region.confirmed == 70


def test_nothing_is_drawn_before_it_is_known_what_was_sent() -> None:
    region, hq = Region(), headquarters()
    delivery = Delivery(region, hq)
    assert delivery.gone is None
    hq.cut = ["before"]
    turns(delivery)
    assert delivery.gone is None
    turns(delivery)
    assert delivery.gone == Standing(0, "1")
    delivery.forget()
    assert (delivery.gone, delivery.state) == (None, State.ASKING)


def test_what_a_promoted_site_lacks_is_taken_back_and_not_drawn_again() -> None:
    region, hq = Region(), headquarters()
    region.make(100)
    turns(Delivery(region, hq))
    promoted = Region(region.releases[:20])
    delivery = Delivery(promoted, hq)
    assert turns(delivery) == [None]
    assert promoted.releases == hq.releases == region.releases
    assert (promoted.draws, promoted.confirmed, delivery.gone) == ({}, 100, Standing(100, "1"))
    promoted.make()
    turns(delivery)
    assert hq.known.last == 101


def test_an_older_copy_of_the_database_in_place_is_noticed() -> None:
    region, hq = Region(), headquarters()
    region.make(10)
    delivery = Delivery(region, hq)
    turns(delivery)
    del region.releases[4:]
    region.confirmed = 4
    assert turns(delivery) == [None]
    assert region.releases == hq.releases


def test_a_release_that_headquarters_says_is_ours_and_is_not_stops_all() -> None:
    hq = headquarters()
    hq.releases = [signer(9).seal(money_release(1))]
    hq.known = hq.known.beside(hq.releases[0], money_release(1))
    delivery = Delivery(Region(), hq)
    assert turns(delivery) == [REFUSED_SECONDS]
    assert (delivery.state, delivery.gone) == (State.REFUSED, None)


def test_a_refused_release_is_told_and_those_before_it_are_there() -> None:
    region, hq = Region(), headquarters()
    region.make(5)
    region.releases[3] = signer(9).seal(money_release(4, DAY + timedelta(days=4)))
    delivery = Delivery(region, hq)
    assert turns(delivery) == [REFUSED_SECONDS]
    assert (hq.known.last, region.confirmed, delivery.state, delivery.gone) == (3, 3, State.REFUSED, None)
    region.releases[3] = OURS.seal(money_release(4, DAY + timedelta(days=4)))
    assert turns(delivery) == [None]
    assert hq.known.last == 5


def test_other_content_under_a_number_is_refused_for_good() -> None:
    region, hq = Region(), headquarters()
    region.make(2)
    turns(Delivery(region, hq))
    other = Region()
    other.make(3)
    other.releases[1] = OURS.seal(money_release(2, DAY + timedelta(days=2), value=999))
    receipt = asyncio.run(hq.send(Batch(session=hq.session, releases=tuple(other.releases))))
    assert (receipt.verdict, receipt.seq, receipt.last) == (Verdict.OTHER_CONTENT, 2, 2)
    assert hq.releases == region.releases


def test_two_processes_that_send_for_one_region_do_no_harm() -> None:
    region, hq = Region(), headquarters()
    region.make(3)
    old, new = Delivery(region, hq), Delivery(region, hq)
    turns(old)
    turns(new)
    region.make(2)
    turns(new)
    turns(old)
    region.make(1)
    turns(old)
    turns(new)
    assert hq.releases == region.releases
    assert region.confirmed == 6


def test_what_a_lost_site_has_on_its_way_is_not_taken_after_another_site_asked() -> None:
    region, hq = Region(), headquarters()
    turns(Delivery(region, hq))
    region.make()
    late = Batch(session=hq.session, releases=tuple(region.releases))
    promoted = Region()
    delivery = Delivery(promoted, hq)
    turns(delivery)
    promoted.make()
    receipt = asyncio.run(hq.send(late))
    assert (receipt.verdict, hq.known.last) == (Verdict.SUPERSEDED, 0)
    turns(delivery)
    assert hq.releases == promoted.releases


def test_a_site_that_was_replaced_sends_nothing() -> None:
    region, hq = Region(), headquarters()
    active = Delivery(region, hq)
    turns(active)
    region.make()
    fenced = Region(region.releases[:], follows=True)
    with pytest.raises(ReadOnlyDatabaseError):
        turns(Delivery(fenced, hq))
    assert hq.releases == []
    turns(active)
    assert len(hq.releases) == 1
    assert hq.marks == 1, "who only follows ends nobody's session"


def test_what_was_known_before_a_promotion_is_not_known_after_it() -> None:
    """A leads, B leads and sends one more, A leads again without it: A's process never ended, and must not draw it."""
    region, hq = Region(), headquarters()
    here = Delivery(region, hq)
    region.make(5)
    turns(here)
    there = Region(region.releases[:], lineage=2)
    other = Delivery(there, hq)
    turns(other)
    there.make()
    turns(other)
    region.lineage = 3
    assert not region.may_make(here.gone)
    hq.cut = ["before"]
    turns(here)
    assert (region.may_make(here.gone), here.gone) == (False, None), "headquarters is away: it is not known yet"
    turns(here)
    assert region.releases == hq.releases == there.releases
    assert region.may_make(here.gone)


def test_a_number_that_was_sent_on_an_earlier_lineage_holds_nothing_up() -> None:
    region, hq = Region(), headquarters()
    delivery = Delivery(region, hq)
    turns(delivery)
    region.make(2)
    hq.cut = ["before"]
    turns(delivery)
    assert delivery.gone == Standing(2, "1"), "they may be there"
    region.releases, region.lineage = region.releases[:1], 2
    turns(delivery)
    assert delivery.gone == Standing(1, "2"), "they are not, and cannot come any more"
    assert region.may_make(delivery.gone)


def test_a_database_that_is_replaced_while_headquarters_is_asked_has_nothing_of_the_one_before() -> None:
    region = Region()

    class Replacing(Headquarters):
        async def mark(self, session: bytes) -> int:
            if self.marks == 1:
                region.releases, region.lineage = region.releases[:1], 2
            return await super().mark(session)

    hq = Replacing(Register({REGION: [OURS.public]}))
    delivery = Delivery(region, hq)
    turns(delivery)
    region.make(2)
    hq.cut = ["before"]
    turns(delivery)
    assert delivery.gone == Standing(2, "1")
    turns(delivery)
    assert delivery.gone == Standing(1, "2")
    assert hq.releases == region.releases


def test_a_database_that_is_replaced_within_a_turn_is_asked_anew() -> None:
    region = Region()

    class Replacing(Headquarters):
        async def send(self, batch: Batch) -> Receipt:
            receipt = await super().send(batch)
            if len(self.batches) == 1:
                region.releases, region.confirmed, region.lineage = region.releases[:1], 0, 2
            return receipt

    hq = Replacing(Register({REGION: [OURS.public]}))
    region.make(3)
    delivery = Delivery(region, hq)
    assert turns(delivery) == [1.0]
    assert (delivery.gone, delivery.state) == (None, State.ASKING)
    turns(delivery)
    assert (region.releases, delivery.gone) == (hq.releases, Standing(3, "2"))


def test_an_answer_that_makes_no_sense_is_no_answer() -> None:
    class Forgetful(Headquarters):
        async def send(self, batch: Batch) -> Receipt:
            return Receipt(region=REGION, last=(await super().send(batch)).last - 1)

    region, hq = Region(), Forgetful(Register({REGION: [OURS.public]}))
    region.make(2)
    delivery = Delivery(region, hq)
    assert turns(delivery) == [1.0]
    assert (delivery.state, region.confirmed) == (State.AWAY, 0)


DEEDS = st.lists(
    st.sampled_from(
        ["make", "make many", "turn", "turn", "before", "after", "restart", "lose", "restore", "elsewhere"]
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(DEEDS, st.randoms(use_true_random=False))
def test_whatever_happens_headquarters_has_one_content_for_each_number(deeds: list[str], chance: Random) -> None:
    """Draws happen as the exporter makes them: only when it is known what headquarters has, and not while behind it.

    `lose` is a promotion that lacks the last transactions, `restore` an older copy under a running process. With
    `elsewhere` another site leads for a while, makes and sends one, and is lost before anybody has it.
    """
    region, hq = Region(), headquarters()
    delivery = Delivery(region, hq)
    sent: dict[int, Sealed] = {}
    lineages = 1
    for deed in deeds:
        if deed in {"make", "make many"}:
            if region.may_make(delivery.gone):
                region.make(1 if deed == "make" else 70)
        elif deed == "turn":
            turns(delivery)
        elif deed in {"before", "after"}:
            hq.cut.append(deed)
        elif deed == "restart":
            delivery = Delivery(region, hq)
        elif deed == "elsewhere":
            lineages += 1
            there = Region(region.releases[:], lineage=lineages)
            other = Delivery(there, hq)
            turns(other)
            if there.may_make(other.gone):
                there.make()
            turns(other)
            lineages += 1
            region.lineage = lineages
        else:
            kept = chance.randint(0, len(region.releases))
            del region.releases[kept:]
            region.confirmed = min(region.confirmed, kept)
            lineages += 1
            region.lineage = lineages
            delivery = Delivery(region, hq) if deed == "lose" else delivery
        for seq, sealed in enumerate(hq.releases, 1):
            assert sent.setdefault(seq, sealed) == sealed
        assert delivery.state is not State.REFUSED
    hq.cut.clear()
    turns(delivery, 3)
    assert hq.releases == region.releases
    assert region.confirmed == len(region.releases)
