"""Who signs a pair's record, and who may: operators, and agents within what agents change."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cryptography import x509
from pydantic import ValidationError

from shopsphere.foundation.signing import (
    NotSignedError,
    Signature,
    SignerEndedError,
    Statement,
    authorities_in,
    names_in,
    sign,
    signer_of,
)
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.identity import Identity, WitnessKeysError
from shopsphere.witness.operators import said_operator
from shopsphere.witness.record import FIRST_EPOCH, Decision, PairRecord, Phase, Sync
from shopsphere.witness.users import OPERATOR, agent_user, is_operator, operator_named
from shopsphere.witness.withdrawn import Withdrawn

RECORD, DECISION = "shopsphere pair record 1", "shopsphere pair decision 1"
"""First lines of what is signed."""
SIGNATURE = "signature"
_AGENT = agent_user("")

Ended = list[SignerEndedError]
Words = tuple[str, str]
"""Kind and content, as they are signed."""
Document = dict[str, Any]
"""A record as it is at the witness, with everything that other versions wrote into it."""


class Signatures:
    """The signatures of one pair, made and judged with the keys of one who asks its witness.

    Args:
        pair: its name.
        identity: its keys; the authority in it says who is believed.
    """

    def __init__(self, pair: str, identity: Identity) -> None:
        self._pair, self._identity = pair, identity
        self._known: tuple[object, tuple[x509.Certificate, ...]] = None, ()
        self.withdrawn: Withdrawn | None = None
        """Which operators have left, as far as it is known."""
        self.withdrawn_text = ""
        """The same, as it was signed."""

    def hear(self, text: str) -> None:
        """Take note of a list of operators who have left, where the pair's authority has signed it.

        Any other one is ignored: whoever rules the voters could as well hide it, and a former authority vouches for
        nobody any more. An older one is ignored, too.
        """
        if text == self.withdrawn_text:
            return
        try:
            said = Withdrawn.believed(text, self._pair, self._authorities())
        except (NotSignedError, WitnessKeysError):
            return
        if self.withdrawn is None or said.number > self.withdrawn.number:
            self.withdrawn, self.withdrawn_text = said, text

    def require_good(self, document: Document, record: PairRecord, decision: Statement | None, at: datetime) -> str:
        """Return who has signed a record, having made sure that he may.

        Args:
            document: the record as it is at the witness.
            record: the same, as it is understood.
            decision: the last one that was seen to be an operator's: it is not judged again.
            at: now (UTC).

        Raises:
            SignerEndedError: all is well but that a certificate has ended.
            NotSignedError: it was not.
            WitnessKeysError: the authority that is believed cannot be read.
        """
        ended: Ended = []
        who = self._judged(document, record, decision, at, ended)
        if ended:
            raise ended[0]
        return who

    def _judged(
        self, document: Document, record: PairRecord, decision: Statement | None, at: datetime, ended: Ended
    ) -> str:
        """Return as `require_good` does, also who signed with a certificate that ended; `ended` takes note of it."""
        if record.signature is None:
            raise NotSignedError("nobody has signed it")
        if record.pair != self._pair:
            raise NotSignedError(f"it is a record of {record.pair}")
        believed = self._authorities()
        who = self._signer(record.signature, (RECORD, _content(document)), believed, at, ended)
        if is_operator(who):
            _require_own_name(who, record.actor)
        else:
            _require_agents(who, record)
        if record.decision is None:
            if record.epoch != FIRST_EPOCH:
                raise NotSignedError(f"no operator has signed that epoch {record.epoch} is {record.active}'s")
            return who
        if record.decision != decision:
            said = DECISION, record.decision.text
            decider = self._signer(record.decision.signature, said, believed, at, ended)
            if not is_operator(decider):
                raise NotSignedError(f"{decider} has decided whose epoch {record.epoch} is, and may not")
            if decided := decision_in(record.decision):
                _require_own_name(decider, decided.actor)
        if not _decides(record.decision, record):
            raise NotSignedError(f"what an operator decided is not that epoch {record.epoch} is {record.active}'s")
        return who

    def sealed(self, record: PairRecord, believed: Statement | None, at: datetime) -> tuple[PairRecord, str]:
        """Return a record signed, and as it is to be written.

        Args:
            record: what is to be written.
            believed: who decided the epoch that was believed last. Where the record has no decision, an agent passes
                that on, and an operator decides anew.
            at: now (UTC).

        Raises:
            WitnessKeysError: the keys cannot be used.
        """
        moves = is_operator(self._identity.user)
        own = (record.decision,) if moves else (record.decision, believed)
        decision = next((each for each in own if each and _decides(each, record)), None)
        if decision is None and moves:
            decision = self.decided(record.epoch, record.active, record.actor, at)
        plain = record.model_copy(update={"decision": decision, SIGNATURE: None})
        document: Document = json.loads(plain.model_dump_json())
        signature = self._sign(RECORD, _content(document))
        document[SIGNATURE] = signature.model_dump(mode="json")
        return plain.model_copy(update={SIGNATURE: signature}), _canonical(document)

    def decided(self, epoch: int, active: str, actor: str, at: datetime) -> Statement:
        """Return the signed word that an epoch is a site's; raises as `sealed` does."""
        text = Decision(pair=self._pair, epoch=epoch, active=active, actor=actor, at=at).model_dump_json()
        return Statement(text=text, signature=self._sign(DECISION, text))

    def ended(self) -> str:
        """Return which of our own certificates has ended; empty where none has."""
        return self._identity.ended()

    def renewable(self, record: PairRecord) -> dict[str, datetime | None]:
        """Return until when the signatures of a record are good (UTC), by name; None for one of a former authority."""
        signatures = {"the record's signature": record.signature}
        if record.decision:
            signatures["the signature of who decided the epoch"] = record.decision.signature
        signing = self._authorities()[:1]
        return {name: each.end_if_of(signing) for name, each in signatures.items() if each}

    def _signer(
        self, signature: Signature, said: Words, believed: tuple[x509.Certificate, ...], at: datetime, ended: Ended
    ) -> str:
        """Return the user who has signed these words: of an operator with a key of his own, which one he is.

        Of a certificate that has ended, too; `ended` takes note of it, and nothing is to be believed then.

        Raises:
            NotSignedError: nobody who is believed did, or he has left.
        """
        try:
            who = signer_of(signature, *said, believed, at)
        except SignerEndedError as error:
            ended.append(error)
            who = error.signer
        if who == OPERATOR:
            who = operator_named(names_in(signature))
        elif is_operator(who):
            who = ""
        if not who:
            raise NotSignedError("its signer's certificate names an operator in a way that this version does not know")
        if self.withdrawn and self.withdrawn.refuses(who, signature):
            raise NotSignedError(f"{who} has signed it, and has left")
        return who

    def _sign(self, kind: str, content: str) -> Signature:
        _, certificate, key, _ = self._identity.files
        try:
            return sign(certificate, key, kind, content)
        except (OSError, ValueError, TypeError) as error:
            raise WitnessKeysError.build(
                f"{self._identity.user} cannot sign for the witness of {self._pair}",
                expected=f"{certificate} and {key}, of each other",
                found=f"{type(error).__name__}: {error}",
                action="`shopsphere witness keys` makes them; copy those of this user to this folder",
            ) from error

    def _authorities(self) -> tuple[x509.Certificate, ...]:
        """Return who is believed; read again when the file was replaced."""
        file = self._identity.files[0]
        try:
            found = file.stat()
            stamp = found.st_mtime_ns, found.st_ino, found.st_size
            if stamp != self._known[0]:
                self._known = stamp, authorities_in(file)
        except (OSError, ValueError) as error:
            raise WitnessKeysError.build(
                f"who may sign for {self._pair} is not known",
                expected=f"the authority of its witness in {file}",
                found=f"{type(error).__name__}: {error}",
                action="copy it anew from where the witness's keys are kept (docs/witness.md)",
            ) from error
        return self._known[1]


def document_in(text: str) -> Document:
    """Return what the text of a record holds.

    Raises:
        UnreadableWitnessError: it is no document.
    """
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableWitnessError.because("the record at the witness", error) from error
    if not isinstance(found, dict):
        raise UnreadableWitnessError.because("the record at the witness", ValueError("no object"))
    return found


def record_in(pair: str, document: Document) -> PairRecord:
    """Return the record in a document.

    Raises:
        UnreadableWitnessError: it is none.
    """
    try:
        return PairRecord.model_validate(document)
    except (ValidationError, RecursionError) as error:
        raise UnreadableWitnessError.because(f"{pair}: the record at the witness", error) from error


def decision_in(statement: Statement) -> Decision | None:
    """Return what somebody decided; None where it cannot be read."""
    try:
        return Decision.model_validate_json(statement.text)
    except ValidationError:
        return None


def _decides(statement: Statement, record: PairRecord) -> bool:
    found = decision_in(statement)
    return found is not None and found.is_of(record)


def _require_own_name(who: str, actor: str) -> None:
    """Make sure that what an operator signs says that it is by the operator whose key it was.

    Raises:
        NotSignedError: it names another one.
    """
    if said_operator(actor) != who:
        raise NotSignedError(f"{who} has signed it, and it says that it is by {actor[:80]!r}")


def _require_agents(who: str, record: PairRecord) -> None:
    """Make sure that who has signed a record is an agent, and has changed what agents change.

    It names an operator with a key of his own only where he has decided the epoch: one that an agent brings in from a
    permit, which others can write, too.

    Raises:
        NotSignedError: it is not so.
    """
    if not who.startswith(_AGENT):
        raise NotSignedError(f"{who} has signed it, and may not")
    decided = decision_in(record.decision) if record.decision else None
    if said_operator(record.actor) != OPERATOR and not (decided and decided.actor == record.actor):
        raise NotSignedError(
            f"{who} has signed it, and it says that it is by {record.actor[:80]!r}, who has not decided this epoch"
        )
    if record.phase is not Phase.STEADY:
        raise NotSignedError(f"{who} has signed it, and no agent announces a change")
    if record.sync is Sync.ON and who != agent_user(record.active):
        raise NotSignedError(
            f"{who} has signed that nothing would be lost, which the agent of {record.active} alone knows"
        )


def _content(document: Document) -> str:
    return _canonical({name: value for name, value in document.items() if name != SIGNATURE})


def _canonical(document: Document) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
