"""Who somebody is and where they live: one rule for each field, at sign-up and at checkout."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class Field:
    """A line of text that has to be there.

    Attributes:
        name: of the form's field.
        asked: what to tell a customer who left it out.
        longest: characters.
    """

    name: str
    asked: str
    longest: int

    def problem_of(self, value: str) -> str:
        """Return what is wrong with a tidied value, empty if nothing is."""
        if not any(unicodedata.category(character)[0] in "LN" for character in value):
            return self.asked
        if len(value) > self.longest:
            return f"Use at most {self.longest} characters; these are {len(value)}."
        return ""


class EmailField(Field):
    """An e-mail address."""

    def problem_of(self, value: str) -> str:
        """Return what is wrong with an address, empty if nothing is."""
        return Field.problem_of(self, value) or ("" if _EMAIL.fullmatch(value) else self.asked)


EMAIL = EmailField("email", "Enter an e-mail address such as name@example.org.", 254)
NAME = Field("name", "Enter your name.", 100)
ADDRESS = (
    EMAIL,
    NAME,
    Field("street", "Enter your street and number.", 200),
    Field("postcode", "Enter your postcode.", 16),
    Field("city", "Enter your city.", 100),
)
"""What a parcel needs, in the order of the checkout's form."""
