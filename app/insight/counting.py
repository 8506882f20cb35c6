"""What one partition adds to the counts, from the first record that is not counted on: sums, and nothing else.

All of it is a function of the records: no clock of this machine, no order between partitions. So who reads the same
records again comes to the same rows, in however many parts they are written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.clicks.events import OLDEST_MS
from app.insight.balance import Balance, Outcome, Unit
from app.insight.marks import MOST_TABS, Marks, Trail
from app.insight.reading import FORMAT, PERSON, Batch, Kind, Sender, batches_of

MINUTE_MS = 60_000
DAY_MS = 86_400_000
LATE_MS = MINUTE_MS
LATEST_MS = 2**42
"""In the year 2109: a record of a later time has none that can be believed."""
CLOCK_MS = 15 * MINUTE_MS
"""How far a collector's clock may be from the time that its record has in the log."""
LOOKS: frozenset[Kind] = frozenset(("view", "add"))
"""What a person does who looks at a product."""

Counted = tuple[int, Kind, str | None, str | None, Sender]
"""Minute (since 1970), kind, product and category as the browser names them, sender."""
Look = tuple[str, int, str]
"""Tab, UTC day (since 1970), product."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the log has it.

    Attributes:
        offset: its place in its partition.
        time: when it was written (ms since 1970); below 0 when the log does not say.
        value: its bytes.
        version: what its header `v` says; None without one.
    """

    offset: int
    time: int
    value: bytes
    version: bytes | None


@dataclass(frozen=True, slots=True)
class Place:
    """How far a partition is counted, as the database says.

    Attributes:
        partition: its number.
        next: the first record that is not counted, as the database has it: it has to be that when the next sums are
            written.
        reads_from: the first record that is read; those before `goes_on` are read for their marks.
        goes_on: the first record that counts: `next`, but where the log does not have that.
        end: of the log, when it was looked at.
        day: on which that was (UTC, days since 1970).
    """

    partition: int
    next: int
    reads_from: int
    goes_on: int
    end: int
    day: int


@dataclass(frozen=True, slots=True)
class Extent:
    """What a log has of a partition: the records from `low` to before `high`."""

    partition: int
    low: int
    high: int


def placed(extent: Extent, next_: int, marks_from: int, day: int) -> Place:
    """Return where to go on, from what the database says and what the log has."""
    goes_on = min(max(next_, extent.low), extent.high)
    reads_from = min(max(marks_from, extent.low), goes_on)
    return Place(extent.partition, next_, reads_from, goes_on, extent.high, day)


@dataclass(slots=True)
class Sums:
    """What is to be written.

    Attributes:
        events: how many of each kind.
        looks: when each session looked at each product for the last time (s since 1970).
        balance: what became of everything.
    """

    events: Counter[Counted] = field(default_factory=Counter)
    looks: dict[Look, int] = field(default_factory=dict)
    balance: Balance = field(default_factory=Counter)

    def add(self, other: Sums) -> None:
        """Add other sums to these."""
        self.events.update(other.events)
        self.balance.update(other.balance)
        for look, at in other.looks.items():
            self.looks[look] = max(at, self.looks.get(look, 0))


@dataclass(frozen=True, slots=True)
class Step:
    """A partition's part of what is written at once.

    Attributes:
        partition: its number.
        before: the first record that was not counted, which the database still has to say.
        next: the first record that is not counted afterwards.
        marks_from: where to read from, before it, for marks.
        end: of the log, as far as is known.
    """

    partition: int
    before: int
    next: int
    marks_from: int
    end: int


class Partition:
    """Counts the records of a partition, one after the other.

    Args:
        place: where it begins.
        most_tabs: that are remembered.
    """

    def __init__(self, place: Place, most_tabs: int = MOST_TABS) -> None:
        self.end = place.end
        self.marks = Marks(most_tabs)
        self._number = place.partition
        self._written = place.next
        self._goes_on = place.goes_on
        self._reads = place.reads_from
        self._trail = Trail()
        self._clock = 0
        self._sums = Sums()
        self._differs(place)

    @property
    def reads(self) -> int:
        """The next record that it wants."""
        return self._reads

    @property
    def clock(self) -> int:
        """The time of what it has read (ms since 1970)."""
        return self._clock

    @property
    def lag(self) -> int:
        """Records that are known to be there and are not in the database."""
        return max(self.end - self._written, 0)

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to be written."""
        return max(self._reads, self._goes_on) != self._written

    @property
    def size(self) -> int:
        """How many different sums it has."""
        return len(self._sums.events) + len(self._sums.looks)

    def take(self, record: Record) -> None:
        """Read a record; one that was read already is passed over."""
        if record.offset < self._reads:
            return
        self._reads = record.offset + 1
        self.end = max(self.end, self._reads)
        if record.time < LATEST_MS:
            self._clock = max(self._clock, record.time)
        self._trail.pass_by(record.offset, self._clock)
        sums = self._sums if record.offset >= self._goes_on else Sums()
        self._count(record, sums)

    def part(self) -> tuple[Step, Sums]:
        """Return what is to be written now."""
        next_ = max(self._reads, self._goes_on)
        begins = self._trail.begins
        marks_from = min(next_, self._reads if begins is None else begins)
        return Step(self._number, self._written, next_, marks_from, max(self.end, next_)), self._sums

    def was_written(self, step: Step) -> None:
        """Forget what the database has."""
        self._written = step.next
        self._sums = Sums()

    def _differs(self, place: Place) -> None:
        """Say what the log lacks of what should come next."""
        lacks, is_cut = place.goes_on - place.next, place.goes_on < place.next
        if lacks:
            outcome = Outcome.CUT if is_cut else Outcome.MISSING
            self._sums.balance[place.day, outcome, Unit.RECORDS] += abs(lacks)

    def _count(self, record: Record, sums: Sums) -> None:
        balance, day = sums.balance, self._clock // DAY_MS
        if record.version != FORMAT or not 0 <= record.time < LATEST_MS:
            balance[day, Outcome.FORMAT, Unit.RECORDS] += 1
            return
        batches, rejected = batches_of(record.value)
        for (outcome, unit), number in rejected.items():
            balance[day, outcome, unit] += number
        if batches:
            balance[day, Outcome.COUNTED, Unit.RECORDS] += 1
        elif not rejected:
            balance[day, Outcome.PROBE, Unit.RECORDS] += 1
        for batch in batches:
            self._take_batch(batch, record.time, day, sums)

    def _take_batch(self, batch: Batch, time: int, day: int, sums: Sums) -> None:
        balance, received = sums.balance, batch.received
        if abs(received - time) > CLOCK_MS:
            outcome = Outcome.CLOCK
        elif not self.marks.is_new(batch.tab, batch.b):
            outcome = Outcome.DUPLICATE
        else:
            outcome = Outcome.COUNTED
            if batch.d:
                balance[day, Outcome.GIVEN_UP, Unit.EVENTS] += batch.d
        balance[day, outcome, Unit.BATCHES] += 1
        if outcome is not Outcome.COUNTED:
            balance[day, outcome, Unit.EVENTS] += len(batch.e)
            return
        taken = _events_of(batch, sums)
        balance[day, Outcome.COUNTED, Unit.EVENTS] += taken.events
        if taken.late:
            balance[day, Outcome.LATE, Unit.EVENTS] += taken.late
        if taken.events < len(batch.e):
            balance[day, Outcome.EVENT, Unit.EVENTS] += len(batch.e) - taken.events


@dataclass(slots=True)
class _Taken:
    events: int = 0
    late: int = 0


def _events_of(batch: Batch, sums: Sums) -> _Taken:
    """Count the events of a batch."""
    received, sender, tab, events = batch.received, batch.sender, batch.tab, sums.events
    taken, is_person = _Taken(), batch.sender == PERSON
    for event in batch.e:
        at, product = event.at, event.p
        if not 0 <= received - at <= OLDEST_MS:
            continue
        taken.events += 1
        if received - at > LATE_MS:
            taken.late += 1
        events[at // MINUTE_MS, event.t, product, event.k, sender] += 1
        if is_person and product is not None and event.t in LOOKS:
            look = (tab, at // DAY_MS, product)
            second = at // 1000
            if second > sums.looks.get(look, -1):
                sums.looks[look] = second
    return taken


def merged(parts: Mapping[int, Partition]) -> tuple[list[Step], Sums]:
    """Return what all partitions that wait have to write, in the order of their numbers."""
    steps, sums = list[Step](), Sums()
    for _, partition in sorted(parts.items()):
        if partition.is_waiting:
            step, own = partition.part()
            steps.append(step)
            sums.add(own)
    return steps, sums
