"""Tokens: words that exist nowhere else, planted with a customer who does not exist, and the private file of them."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole

STEM_LETTERS = 10
"""Of the beginning that all tokens of one planting share, so that a search has one anchor for all of them."""
OWN_LETTERS = 12
"""Of what tells a token from the others: 26 to the power of 12, so that no other data has it by chance."""
OWNER_ONLY = 0o600


class TokensError(ShopSphereError):
    """The file of planted tokens is missing, or is none."""


class Token(BaseModel):
    """One thing to look for.

    Attributes:
        name: how reports call it, as in `eu/email`; reports never show the value.
        jurisdiction: to which it belongs; everywhere else it is a leak.
        value: what was typed into the shop's form, or what the shop answered with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    jurisdiction: str
    value: str = Field(min_length=16)


class Planting(BaseModel):
    """What was planted, and when.

    Attributes:
        environment: in which.
        stem: with which every word begins.
        began: seconds since 1970, before the first customer: no file that changed last before it can hold a token.
        tokens: of all jurisdictions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    environment: str
    stem: str
    began: float
    tokens: tuple[Token, ...]

    def of(self, jurisdiction: str) -> tuple[Token, ...]:
        """Return the tokens that belong to a jurisdiction."""
        return tuple(each for each in self.tokens if each.jurisdiction == jurisdiction)

    def foreign_to(self, jurisdiction: str) -> tuple[Token, ...]:
        """Return the tokens that a place of this jurisdiction must not hold."""
        return tuple(each for each in self.tokens if each.jurisdiction != jurisdiction)


def new_stem() -> str:
    """Return a beginning for all words of one planting."""
    return _letters(STEM_LETTERS)


def new_word(stem: str) -> str:
    """Return a word that exists nowhere else: lower-case letters, so that no encoding of text changes it by need."""
    return stem + _letters(OWN_LETTERS)


def check_names(tokens: Sequence[Token]) -> None:
    """Require that every token has a name of its own.

    Raises:
        TokensError: two have the same one, and counts would be added up.
    """
    names = [each.name for each in tokens]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TokensError.build(
            "two tokens have the same name",
            expected="a name of its own for each token",
            found=", ".join(twice),
            action="plant anew: `shopsphere residency plant`",
        )


def keep(file: Path, planting: Planting) -> None:
    """Write the file of tokens, readable by its owner alone."""
    check_names(planting.tokens)
    write_whole(file, planting.model_dump_json(indent=2) + "\n", mode=OWNER_ONLY)


def recall(file: Path) -> Planting:
    """Return what was planted.

    Raises:
        TokensError: nothing was planted from here, or the file was changed.
    """
    try:
        planting = Planting.model_validate(json.loads(file.read_text()))
    except FileNotFoundError:
        raise TokensError.build(
            "nothing was planted from here, so there is nothing to look for",
            expected=f"the file {file}, which planting writes",
            found="no such file",
            action="`shopsphere residency plant` orders as a customer of each jurisdiction",
        ) from None
    except (OSError, ValueError, ValidationError) as error:
        raise TokensError.build(
            f"{file}: not a file of planted tokens",
            expected="what `shopsphere residency plant` has written",
            found=str(error).splitlines()[0],
            action="plant anew; the old customers stay in the shop as what they are, customers who do not exist",
        ) from error
    check_names(planting.tokens)
    return planting


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(count))
