"""Which record of a pair is believed: one that was signed by who may sign it, and that follows from the last one.

The voters keep the record, and nobody has to trust them with it: whoever writes it signs it with the key by which the
witness knows him, and a reader believes only what was signed so. The key of the authority that issues such certificates
is on no voter's host. A record that is not believed is no answer: nothing is moved, opened or shut because of it.

- An operator may sign every record, and alone decides whose an epoch is. That decision is signed by itself and stays in
  the record for as long as the epoch lasts. An agent signs what agents change: that the ledger waits or not, a record
  that the voters have lost, and one of an epoch for which an operator gave a permit.
- Nothing that is older than what was believed before is believed, no epoch is decided twice, and none is skipped.
- A certificate has to be good when its signature is seen first. What was believed once stays so: a record may be older
  than any certificate.
- Until a signed record was seen, or the configuration demands them, records without a signature are believed, as those
  of earlier versions; and nobody signs.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import Field

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.exchanged import Exchanged
from shopsphere.foundation.signing import NotSignedError, SignerEndedError, Statement
from shopsphere.witness.following import does_not_follow, is_older, named
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.identity import Identity
from shopsphere.witness.record import LAST_SERIAL, PairRecord
from shopsphere.witness.seen import Seen
from shopsphere.witness.signatures import Document, Signatures, document_in, record_in
from shopsphere.witness.withdrawn import Withdrawn

MOST_MISSED = 8
"""Epochs that a reader may have missed who did not listen: more changes than that are no likely truth (ADR 19)."""
LISTENS_SECONDS = 10.0
"""A reader who had an answer so lately has missed no epoch: each begins when leases have ended or were given back."""
CLOCK_SECONDS = 366 * 86_400.0
"""A writer's clock that is further ahead than a year opens no TLS connection to a voter either."""
RENEW = "`shopsphere witness keys` where they are kept renews it; copy it here, and go on with the same command"
_MOST_TEXT = 65_536
_MOST_WORDS = 600


class UnbelievedRecordError(UnreadableWitnessError):
    """The record at the witness is not one that is believed: nothing may be concluded, also not that it is lost."""


class OlderRecordError(UnbelievedRecordError):
    """The record was good once, and a newer one was believed since: the voters have lost it, or somebody put it back.

    Attributes:
        found: what is there, without the record.
        newest: the record that was believed last.
    """

    found: Seen
    newest: PairRecord


class Remembered(Exchanged):
    """What a reader keeps for its next start."""

    text: str = Field(max_length=_MOST_TEXT, description="The record that was believed last, as it was at the witness.")
    demands: bool = Field(description="A signed record was seen: others are not believed any more.")
    withdrawn: str = Field(
        default="", max_length=_MOST_TEXT, description="Which operators have left, as the authority has signed it."
    )


class Belief:
    """What one reader believes of a pair's record, and signs; safe to share between threads.

    Args:
        pair: its name.
        identity: who asks, and signs; None where the voters take anybody: then everything is believed.
        demanded: whether a record without a signature is refused from the start.
        remembered: what an earlier start believed.
        clock: replaceable in tests.
        today: returns the time (UTC) by which certificates are judged; replaceable in tests.

    Raises:
        UnreadableWitnessError: what is remembered is no record.
    """

    def __init__(
        self,
        pair: str,
        identity: Identity | None,
        *,
        demanded: bool = False,
        remembered: Remembered | None = None,
        clock: Clock = SYSTEM_CLOCK,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pair, self._clock, self._today = pair, clock, today
        self._signatures = Signatures(pair, identity) if identity else None
        if self._signatures and remembered and remembered.withdrawn:
            self._signatures.hear(remembered.withdrawn)
        self._changing = threading.RLock()
        self._heard_at: float | None = None
        self._text, self._record = "", None if remembered is None else record_in(pair, document_in(remembered.text))
        self._demands = demanded or bool(remembered and remembered.demands)
        self._decision: Statement | None = None
        """Of the last record, where it was seen to be an operator's."""
        if remembered and self._record and remembered.demands is self._demands:
            self._text, self._decision = remembered.text, self._record.decision if self._demands else None
        self._writer = uuid.uuid4().hex
        self.problem = ""
        """Why the record that was read last is not believed; empty where it is."""

    @property
    def remembered(self) -> Remembered | None:
        """What to keep for the next start; None before anything was believed."""
        with self._changing:
            withdrawn = self._signatures.withdrawn_text if self._signatures else ""
            return Remembered(text=self._text, demands=self._demands, withdrawn=withdrawn) if self._text else None

    @property
    def demands(self) -> bool:
        """Whether a record without a signature is refused."""
        return self._demands

    @property
    def last(self) -> PairRecord | None:
        """The record that was believed last; None before any was."""
        return self._record

    @property
    def withdrawn(self) -> Withdrawn | None:
        """Which operators have left; None where none has, or nobody has said so yet."""
        return self._signatures.withdrawn if self._signatures else None

    def hear(self, withdrawn: str) -> None:
        """Take note of which operators have left, as the witness has it; who says so is judged here."""
        with self._changing:
            if self._signatures:
                self._signatures.hear(withdrawn)

    def read(self, text: str, found: Seen, *, newest: bool = True) -> Seen:
        """Return what was found with the record, once it is believed.

        Args:
            text: the record as it is at the witness.
            found: the rest.
            newest: whether the quorum says so; what one voter says may be older, and is then what was known before.

        Raises:
            OlderRecordError: a newer one was believed before.
            UnbelievedRecordError: it is not signed by who may sign it, or does not follow from the last one.
            UnreadableWitnessError: it is no record.
            WitnessKeysError: the authority that is believed cannot be read.
        """
        with self._changing:
            listens = self._heard_at is not None and self._clock.monotonic() - self._heard_at < LISTENS_SECONDS
            self._heard_at = self._clock.monotonic()
            try:
                if text != self._text:
                    self._take(text, found, 1 if listens else MOST_MISSED, newest=newest)
            except UnreadableWitnessError as error:
                self.problem = one_line(error)[:_MOST_WORDS]
                raise
            self.problem = ""
            return replace(found, record=self._record)

    def seal(self, record: PairRecord) -> tuple[PairRecord, str]:
        """Return a record as this reader signs it, and as it is to be written.

        Raises:
            UnbelievedRecordError: nobody would believe it.
            WitnessKeysError: the keys cannot be used.
        """
        with self._changing:
            if self._signatures is None or not self._demands:
                plain = record.model_copy(update={"signature": None})
                return plain, plain.model_dump_json()
            last = self._record
            before = max(record.serial, last.serial if last else 0)
            goes_on = last is not None and (last.writer, last.serial) == (self._writer, record.serial)
            begun = {
                "serial": min(LAST_SERIAL, max(before + 1, int(self._today().timestamp() * 1000))),
                "after": record.after if goes_on else record.serial,
                "writer": self._writer,
            }
            decided = last.decision if last else None
            sealed, text = self._signatures.sealed(record.model_copy(update=begun), decided, self._today())
            if why := self._judge(document_in(text), sealed)[1]:
                own = self._signatures.ended()
                raise UnbelievedRecordError.build(
                    f"{self._pair}: a record was not written that nobody would believe",
                    expected="what an operator decided, or what an agent may change in the same epoch",
                    found=f"{own}: {named(sealed)}" if own else f"{why}: {named(sealed)}",
                    action=RENEW
                    if own
                    else "move a pair with the keys of an operator; give a permit again that was given without them",
                )
            return sealed, text

    def wrote(self, record: PairRecord, text: str) -> None:
        """Believe what the witness has taken from this reader."""
        with self._changing:
            if self._signatures:
                self._accept(record, text, signed=self._demands)

    def decide(self, epoch: int, active: str, actor: str) -> Statement | None:
        """Return an operator's word that an epoch is a site's, for a permit; None where nobody in particular asks.

        Raises:
            WitnessKeysError: the keys cannot be used.
        """
        return self._signatures.decided(epoch, active, actor, self._today()) if self._signatures else None

    def renewable(self, record: PairRecord) -> dict[str, datetime | None]:
        """Return until when a record's signatures are good (UTC), by name; None for those of a former authority.

        Raises:
            WitnessKeysError: the authority that is believed cannot be read.
        """
        return self._signatures.renewable(record) if self._signatures else {}

    def demand(self) -> None:
        """Sign from now on, and believe nothing else."""
        self._demands = True

    def _take(self, text: str, found: Seen, most: int, *, newest: bool) -> None:
        """Believe a record that differs from the last one; the last one stays where a voter is behind it."""
        document = self._document(text)
        record = record_in(self._pair, document)
        who, why = self._judge(document, record)
        if why and self._demands:
            raise self._refused(str(why), record, ended=isinstance(why, SignerEndedError))
        if self._signatures and (last := self._record) is not None:
            older = is_older(record, last, who) if self._demands else record.epoch < last.epoch
            if older and not newest:
                return
            if older:
                raise self._older(record, last, found)
            if problem := does_not_follow(record, last, most):
                raise self._refused(problem, record)
        self._accept(record, text, signed=not why)

    def _accept(self, record: PairRecord, text: str, *, signed: bool) -> None:
        self._record, self._text = record, text
        self._decision = record.decision if signed else None
        self._demands = self._demands or signed

    def _judge(self, document: Document, record: PairRecord) -> tuple[str, NotSignedError | None]:
        """Return who has signed a record, and why it is not signed by who may sign it; None where it is."""
        if self._signatures is None:
            return "", NotSignedError("nobody is asked who may sign")
        now, who = self._today(), ""
        why: SignerEndedError | None = None
        try:
            who = self._signatures.require_good(document, record, self._decision, now)
        except SignerEndedError as error:
            why = error
        except NotSignedError as error:
            return "", error
        if record.serial > (now.timestamp() + CLOCK_SECONDS) * 1000:  # after it no other one would be newer
            return "", NotSignedError(f"its serial number {record.serial} is none that a clock gives")
        return who, why

    def _document(self, text: str) -> Document:
        if len(text) > _MOST_TEXT:
            raise UnreadableWitnessError.because(
                f"{self._pair}: the record at the witness", ValueError(f"{len(text)} characters")
            )
        return document_in(text)

    def _refused(self, why: str, record: PairRecord, *, ended: bool = False) -> ShopSphereError:
        return UnbelievedRecordError.build(
            f"{self._pair}: the record at the witness is not believed",
            expected="one that an operator or an agent of the pair has signed, and that follows from the last one",
            found=f"{why}: {named(record)}",
            action="ask the agents of both sites for `record` in their state, and compare it with this one: "
            f"`shopsphere witness sign {self._pair} --epoch N --active SITE`, as both agents say, then the same "
            "command again (docs/witness.md, “What ended”)"
            if ended
            else "find out who wrote it: docs/witness.md, “A record that is not believed”",
        )

    def _older(self, record: PairRecord, last: PairRecord, found: Seen) -> ShopSphereError:
        error = OlderRecordError.build(
            f"{self._pair}: the record at the witness is an older one",
            expected=f"epoch {last.epoch} as of {last.changed_at:%Y-%m-%d %H:%M:%S} UTC, or newer",
            found=named(record),
            action="wait: a site's agent writes the newest that it knows; then find out what happened to the voters",
        )
        error.found, error.newest = found, last  # type: ignore[attr-defined]
        return error
