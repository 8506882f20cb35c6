"""Which operator is at work: the one whose key this machine shows to the witness, whatever the login says.

Each operator, a person or a machine, may have a key of his own: `operator-NAME.crt`, `.key` and `.password`. Where a
machine has none of those, the key is that of `operator`, which all operators share.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from shopsphere.foundation.actor import actor
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.witness.users import OPERATOR, is_operator, operator_user

VARIABLE = "SHOPSPHERE_OPERATOR"
"""Names the operator whose key is used, where this user can read several; `operator` for the one that all share."""
_SAYS = ": "


def operators_in(folder: Path, ending: str = "key") -> list[str]:
    """Return the operators who have a file of their own with this ending in a folder of keys, in order."""
    found = folder.glob(f"{OPERATOR}-*.{ending}") if folder.is_dir() else ()
    return sorted(each.stem for each in found)


def operator_here(folder: Path) -> str:
    """Return as which operator this machine asks the witness whose keys are in a folder.

    Raises:
        UsageError: this user can read the keys of several, and nobody says whose is meant; or the name is none.
    """
    if (name := os.environ.get(VARIABLE, "")) == OPERATOR:
        return OPERATOR
    if name:
        try:
            return operator_user(name)
        except ValueError as error:
            raise UsageError(f"{VARIABLE}: {error}") from error
    named = operators_in(folder)
    own = [each for each in named if os.access(folder / f"{each}.key", os.R_OK)]
    if len(own) > 1:
        name = own[0].removeprefix(operator_user("x")[:-1])
        raise UsageError.build(
            "several operators have their key here",
            expected=f"{VARIABLE} with the name of one of them",
            found=", ".join(own),
            action=f"set it, as in `export {VARIABLE}={name}`; sudo takes no variables along: "
            f"`sudo {VARIABLE}={name} shopsphere ...`",
        )
    if named and not own and os.access(folder / f"{OPERATOR}.key", os.R_OK):
        _warn(f"the key that all operators share is used: this user can read none of {', '.join(named)} in {folder}")
    return own[0] if own else OPERATOR


@cache
def _warn(text: str) -> None:
    """Say something once."""
    say(f"warning: {text}")


def acting_as(user: str) -> str:
    """Return who acts, for records: the operator by the key, then who is at the keyboard and where.

    Of a key that operators share nobody knows whose hand it is in: then the login alone is told.
    """
    return actor() if user == OPERATOR or not is_operator(user) else f"{user}{_SAYS}{actor()}"


def said_operator(who: str) -> str:
    """Return the operator whom such words name; the shared one where they name none."""
    named, found, _ = who.partition(_SAYS)
    return named if found and is_operator(named) else OPERATOR
