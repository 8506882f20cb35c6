"""Operators who have left: signed by the pair's authority, kept at the witness, and believed whoever rules its voters.

A name stands for all certificates that were ever issued to it, so nobody has to know their numbers. One that is given
again, with a new certificate, counts anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from pydantic import AwareDatetime, Field, ValidationError

from shopsphere.foundation.certificates import BEGINS_BEFORE, LEAF_DAYS, KeyPair, begin_of
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.exchanged import Exchanged, Name
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.signing import (
    NotSignedError,
    Signature,
    Statement,
    authorities_in,
    begin_of_signers,
    require_authoritys,
    sign,
)
from shopsphere.witness.users import OPERATOR

FILE = "withdrawn.json"
"""Where the keys are kept."""
KIND = "shopsphere withdrawn operators 1"
"""First line of what is signed."""
MOST = 40
"""Operators who can have left within the life of a certificate: what is signed has 4 KiB."""


class Withdrawn(Exchanged):
    """Which operators have left."""

    pair: Name
    number: int = Field(ge=1, le=2**53, strict=True, description="Grows with each list; the highest counts.")
    users: dict[Name, AwareDatetime] = Field(
        max_length=MOST, description="By user: his certificates that begin no later than this are not believed."
    )

    def refuses(self, user: str, signature: Signature) -> bool:
        """Whether this signature is by a user who has left, with a key that he had then."""
        return user in self.users and begin_of_signers(signature) <= self.users[user]

    def takes_away(self, user: str, began: datetime | None) -> bool:
        """Whether a user has left who has no certificate, or one that begins then (UTC)."""
        return user in self.users and (began is None or began <= self.users[user])

    def lacks(self, other: Withdrawn, *, now: datetime | None = None) -> list[str]:
        """Return who has left by another list and not, or not as late, by this one, unless his certificates ended."""
        known = _still_counting(other.users, now or datetime.now(UTC))
        return sorted(name for name, until in known.items() if name not in self.users or self.users[name] < until)

    @classmethod
    def believed(cls, text: str, pair: str, authorities: Sequence[x509.Certificate]) -> Withdrawn:
        """Return what a statement says.

        Raises:
            NotSignedError: no authority that is believed has signed it, or it is about another pair.
        """
        try:
            statement = Statement.model_validate_json(text)
            require_authoritys(statement, KIND, authorities)
            found = cls.model_validate_json(statement.text)
        except ValidationError as error:
            raise NotSignedError("it is no list of operators who have left") from error
        if found.pair != pair:
            raise NotSignedError(f"it is of {found.pair}")
        return found


def withdrawn_in(folder: Path, pair: str) -> Withdrawn | None:
    """Return the list that is kept with a pair's keys; None where nobody has left.

    Raises:
        ShopSphereError: it cannot be read, or is not of the authority there.
    """
    if not (folder / FILE).exists():
        return None
    try:
        return Withdrawn.believed((folder / FILE).read_text(), pair, authorities_in(folder / "ca.crt"))
    except (NotSignedError, OSError, ValueError) as error:
        raise ShopSphereError.build(
            f"{folder / FILE} cannot be used",
            expected=f"which operators of {pair} have left, signed with the key of ca.crt",
            found=str(error),
            action="bring back a copy of the folder; without the list their signatures would count again",
        ) from error


def add_withdrawn(folder: Path, pair: str, user: str, *, now: datetime | None = None) -> Withdrawn:
    """Add a user to the list that is kept with a pair's keys, and sign it.

    Raises:
        ShopSphereError: the list cannot be read; or it is full.
    """
    now = now or datetime.now(UTC)
    known = withdrawn_in(folder, pair)
    kept = _still_counting(known.users, now) if known else {}
    began = begin_of(folder / f"{user}.crt")
    until = max(now - BEGINS_BEFORE, began) if began else now - BEGINS_BEFORE
    number = max(int(now.timestamp() * 1000), known.number + 1 if known else 1)
    return _write(folder, pair, number, {**kept, user: until})


def take_withdrawn(folder: Path, pair: str, text: str, *, now: datetime | None = None) -> Withdrawn:
    """Bring a list that the pair's authority has signed to where the keys are kept, and keep who has left by both.

    Args:
        folder: where the keys are kept.
        pair: its name.
        text: the list, as it is at the witness.
        now: replaceable in tests (UTC).

    Raises:
        NotSignedError: no authority that is believed there has signed it.
        ShopSphereError: the list in the folder cannot be read; or both together are too long.
        OSError: the authority's key is not there, and the list in the folder says more than this one.
    """
    said = Withdrawn.believed(text, pair, authorities_in(folder / "ca.crt"))
    own = withdrawn_in(folder, pair)
    if own is None or (own.number < said.number and not said.lacks(own, now=now)):
        write_whole(folder / FILE, text, mode=0o600)
        return said
    kept = _still_counting(own.users, now or datetime.now(UTC))
    users = {name: max(each[name] for each in (kept, said.users) if name in each) for name in {**said.users, **kept}}
    return _write(folder, pair, max(own.number, said.number) + 1, users)


def _still_counting(users: Mapping[str, datetime], now: datetime) -> dict[str, datetime]:
    """Return who has left without those all of whose certificates have ended.

    The shared operator is declared unless it has left: it stays on the list for good.
    """
    ended = now - timedelta(days=LEAF_DAYS) - BEGINS_BEFORE
    return {name: until for name, until in users.items() if until > ended or name == OPERATOR}


def sign_withdrawn_anew(folder: Path, pair: str, authority: KeyPair) -> None:
    """Sign the list again where another authority than this one has; raises as `withdrawn_in`."""
    known = withdrawn_in(folder, pair)
    if known is None:
        return
    signing = authorities_in(authority.certificate)[:1]
    try:
        Withdrawn.believed((folder / FILE).read_text(), pair, signing)
    except NotSignedError:
        _write(folder, pair, known.number + 1, known.users)


def _write(folder: Path, pair: str, number: int, users: Mapping[str, datetime]) -> Withdrawn:
    """Sign a list and keep it; raises a `ShopSphereError` where it is too long."""
    if len(users) > MOST:
        raise ShopSphereError.build(
            f"{pair}: more operators have left than the list holds",
            expected=f"at most {MOST} within {LEAF_DAYS} days",
            found=f"{len(users)}",
            action="change the authorities: what the former one vouched for is believed no more (docs/witness.md)",
        )
    made = Withdrawn(pair=pair, number=number, users=dict(users))
    text = made.model_dump_json()
    statement = Statement(text=text, signature=sign(folder / "ca.crt", folder / "ca.key", KIND, text))
    write_whole(folder / FILE, statement.model_dump_json(), mode=0o600)
    return made
