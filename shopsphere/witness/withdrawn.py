"""Operators who have left: signed by the pair's authority, kept at the witness, and believed whoever rules its voters.

A name stands for all certificates that were ever issued to it, so nobody has to know their numbers. One that is given
again, with a new certificate, counts anew.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    ended = now - timedelta(days=LEAF_DAYS) - BEGINS_BEFORE
    kept = {name: until for name, until in (known.users if known else {}).items() if until > ended}
    began = begin_of(folder / f"{user}.crt")
    until = max(now - BEGINS_BEFORE, began) if began else now - BEGINS_BEFORE
    if len(kept.keys() | {user}) > MOST:
        raise ShopSphereError.build(
            f"{pair}: more operators have left than the list holds",
            expected=f"at most {MOST} within {LEAF_DAYS} days",
            found=f"{len(kept)}, and {user}",
            action="change the authorities: what the former one vouched for is believed no more (docs/witness.md)",
        )
    number = max(int(now.timestamp() * 1000), known.number + 1 if known else 1)
    made = Withdrawn(pair=pair, number=number, users={**kept, user: until})
    _write(folder, made)
    return made


def sign_withdrawn_anew(folder: Path, pair: str, authority: KeyPair) -> None:
    """Sign the list again where another authority than this one has; raises as `withdrawn_in`."""
    known = withdrawn_in(folder, pair)
    if known is None:
        return
    signing = authorities_in(authority.certificate)[:1]
    try:
        Withdrawn.believed((folder / FILE).read_text(), pair, signing)
    except NotSignedError:
        _write(folder, Withdrawn(pair=pair, number=known.number + 1, users=known.users))


def _write(folder: Path, made: Withdrawn) -> None:
    text = made.model_dump_json()
    statement = Statement(text=text, signature=sign(folder / "ca.crt", folder / "ca.key", KIND, text))
    write_whole(folder / FILE, statement.model_dump_json(), mode=0o600)
