"""Who somebody is: one rule for a name and an e-mail address, at sign-up and at checkout."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from app.web.refusals import RefusedError

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True, slots=True)
class Field:
    """A line of text that has to be there.

    Attributes:
        name: of the form's field.
        label: what the page calls it.
        longest: characters.
    """

    name: str
    label: str
    longest: int

    def problem_of(self, value: str) -> str:
        """Return what is wrong with a tidied value, empty if nothing is."""
        if not any(unicodedata.category(character)[0] in "LN" for character in value):
            return f"Please fill in the field “{self.label}”."
        if len(value) > self.longest:
            return f"“{self.label}” may have {self.longest} characters; these are {len(value)}."
        return ""

    def read(self, fields: Mapping[str, str]) -> str:
        """Return a field's value, as `posting.fields` holds it.

        Raises:
            RefusedError: it is missing, too long, or not what it should be.
        """
        value = fields.get(self.name, "")
        problem = self.problem_of(value)
        if problem:
            raise RefusedError(422, "Something needs another look", problem, problems={self.name: problem})
        return value


class EmailField(Field):
    """An e-mail address."""

    def problem_of(self, value: str) -> str:
        """Return what is wrong with an address, empty if nothing is."""
        problem = Field.problem_of(self, value)
        if not problem and not _EMAIL.fullmatch(value):
            problem = "An e-mail address should look like name@example.org."
        return problem


EMAIL = EmailField("email", "E-mail", 254)
NAME = Field("name", "Name", 100)
