"""What versions of this repository keep to when they read what another version, or a stranger, has written.

A field that is not known here belongs to a newer version: it is ignored, and kept when the document is changed. A value
that is not known is not guessed, because it may be one that forbids something: the document is unreadable then. Every
number and every text has a bound, so that nobody can make a document that its readers choke on.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

LAST_EPOCH = 10**9
"""An epoch beyond it is none: a pair that is moved every minute reaches it after 1,900 years."""
MOST_WORDS = 1000
"""Characters of an operator's words that are kept; longer ones are cut, and are no reason to refuse a document."""
MOST_OTHERS = 16_384
"""Bytes of the fields that are not known here."""


def _cut(text: object) -> object:
    return f"{text[: MOST_WORDS - 1]}…" if isinstance(text, str) and len(text) > MOST_WORDS else text


Words = Annotated[str, BeforeValidator(_cut)]
"""Words of a person: who, and why. They are cut where they are too long, in writing and in reading."""
Name = Annotated[str, Field(max_length=128)]
"""A name or an identity that a program gives."""
Epoch = Annotated[int, Field(ge=1, le=LAST_EPOCH, strict=True)]


class Exchanged(BaseModel):
    """A document that two versions of this repository exchange: fields that are not known here are kept, unread."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @model_validator(mode="after")
    def _others_are_bounded(self) -> Self:
        others = self.model_extra or {}
        if others and len(json.dumps(others, default=str)) > MOST_OTHERS:
            raise ValueError(f"more than {MOST_OTHERS} B in fields that are not known here")
        return self

    @classmethod
    def require_known(cls, values: dict[str, Any]) -> None:
        """Refuse names that this version does not have: our own code must not misspell what readers would ignore.

        Raises:
            ValueError: names them.
        """
        if wrong := values.keys() - cls.model_fields.keys():
            raise ValueError(f"{cls.__name__} has no {', '.join(sorted(wrong))}")
