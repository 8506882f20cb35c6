"""What a form shows again after it was refused: what the customer typed, and what is wrong with which field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entries:
    """The state of a form; the macros of parts.html read it as `form`.

    Attributes:
        values: what was typed, by the field's name. Never put a password in here.
        problems: a message for the customer by the field's name, in the order of the page. The empty name stands for
            the form as a whole, as in "Your cart has changed".
    """

    values: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


FRESH = Entries()
"""A form that nobody has sent yet; pages that say nothing else show this one."""
