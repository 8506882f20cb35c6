"""What each answer of the provider means for a payment: the one table, and everything outside of it is not known.

An answer books or ends a payment only when its status is in the table and it speaks of this payment: same key,
reference, amount and currency. Any other is an alarm: the payment stays unknown, and a person is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from app.bounded_http import Answer, NoAnswerError
from app.payments.model import Payment

LONGEST_ID = 255
LONGEST_REASON = 100


class Kind(Enum):
    """What is known about a charge."""

    CAPTURED = "captured"
    AUTHORISED = "authorised"  # the money is held, not taken
    DECLINED = "declined"  # no money will move
    ABSENT = "absent"  # the provider never saw the key
    REFUNDED = "refunded"  # it was captured and given back, all of it
    REFUSED = "refused"  # the provider did not take the request; whether it has a charge by this key, it did not say
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means.

    Attributes:
        kind: the meaning.
        charge: the provider's id of the charge, where there is one.
        reason: why it was declined, or what keeps it unknown.
        is_alarm: whether a person has to look; waiting alone does not settle it.
    """

    kind: Kind
    charge: str = ""
    reason: str = ""
    is_alarm: bool = False

    @property
    def is_silence(self) -> bool:
        """Whether nothing was heard, so that the same question may be answered later."""
        return self.kind is Kind.UNKNOWN and not self.is_alarm


STATUSES: Mapping[str, Kind] = {
    "captured": Kind.CAPTURED,
    "authorised": Kind.AUTHORISED,
    "declined": Kind.DECLINED,
}
"""The `status` of a charge. Anything else (pending, requires_action, refunded, …) is unknown, loudly."""

VOIDING: Mapping[str, Kind] = {**STATUSES, "refunded": Kind.REFUNDED, "voided": Kind.DECLINED}
"""The same for a payment that is no longer wanted; for any other one, money given back is a surprise."""
WITHOUT_MONEY = frozenset({"declined", "refunded", "voided"})
"""Statuses of a charge that nobody has money of, whatever amount it was of."""

CODES: Mapping[int, Kind | None] = {
    200: None,  # None: the charge in the body says it
    201: None,
    400: Kind.REFUSED,
    402: Kind.DECLINED,
    404: Kind.ABSENT,
    422: Kind.REFUSED,
}
"""HTTP status codes. Anything else is unknown."""

PASSING = frozenset({408, 409, 425, 429})
"""Codes below 500 that time alone may cure; every other unknown one is an alarm: 401 and 403 mean a wrong API key."""


def unknown(reason: str) -> Outcome:
    """Return what silence means."""
    return Outcome(Kind.UNKNOWN, reason=reason)


def alarm(reason: str) -> Outcome:
    """Return what an answer means that nobody foresaw."""
    return Outcome(Kind.UNKNOWN, reason=reason, is_alarm=True)


def judge(answer: Answer, payment: Payment, statuses: Mapping[str, Kind] = STATUSES) -> Outcome:
    """Say what an answer about a payment's charge means, by a table of what its `status` may be."""
    if answer.status not in CODES:
        server_side = answer.status >= 500 or answer.status in PASSING  # noqa: PLR2004 the class of codes
        return (unknown if server_side else alarm)(f"status {answer.status}")
    kind = CODES[answer.status]
    try:
        fields = answer.fields()
    except NoAnswerError as error:
        return alarm(str(error)) if kind is None else Outcome(kind, reason=f"status {answer.status}")
    return _charge(fields, payment, statuses) if kind is None else _without_charge(kind, answer, fields, payment)


def _without_charge(kind: Kind, answer: Answer, fields: Mapping[str, object], payment: Payment) -> Outcome:
    status = fields.get("status", kind.value)
    if status not in (kind.value, answer.status, str(answer.status)):
        return alarm(f"status {answer.status} with a charge that is {_short(status)}")
    if fields.get("reference", payment.reference) != payment.reference:
        return alarm(f"status {answer.status} for the reference {_short(fields['reference'])}")
    return Outcome(kind, reason=_reason(fields, f"status {answer.status}"))


def _charge(fields: Mapping[str, object], payment: Payment, statuses: Mapping[str, Kind]) -> Outcome:
    status = fields.get("status")
    kind = statuses.get(status) if isinstance(status, str) else None
    if kind is None:
        return alarm(f"a charge with the status {_short(status)}, which is not in the table")
    identity = fields.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID or not identity.isprintable():
        return alarm("a charge without a usable id")
    if differing := differences(fields, payment):
        if statuses is VOIDING and status in WITHOUT_MONEY and _is_of(fields, payment):
            return Outcome(Kind.DECLINED, identity, _short(f"{status}; {'; '.join(differing)}"))
        return alarm(f"the charge differs from the payment: {'; '.join(differing)}")
    return Outcome(kind, identity, _reason(fields, "") if kind is Kind.DECLINED else "")


def differences(fields: Mapping[str, object], payment: Payment) -> list[str]:
    """Return in what a charge differs from a payment; a field that is missing or of another type differs."""
    expected: dict[str, object] = {
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "reference": payment.reference,
    }
    if "key" in fields:
        expected["key"] = payment.key
    return [
        f"{name} expected {value}, found {_short(fields.get(name))}"
        for name, value in expected.items()
        if type(fields.get(name)) is not type(value) or fields.get(name) != value
    ]


def _is_of(fields: Mapping[str, object], payment: Payment) -> bool:
    """Return whether a charge is of a payment, right or wrong: by the key that was asked for, of the same order."""
    return fields.get("reference") == payment.reference and fields.get("key", payment.key) == payment.key


def _reason(fields: Mapping[str, object], default: str) -> str:
    reason = fields.get("decline_reason") or fields.get("code") or fields.get("detail") or default
    return _short(reason) if isinstance(reason, str) else default


def _short(value: object) -> str:
    """Return a value of the provider's as it may stand in a log or a column."""
    text = value if isinstance(value, str) else repr(value)[: 2 * LONGEST_REASON]
    return "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST_REASON])
