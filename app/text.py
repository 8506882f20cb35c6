"""One rule for what people type into a line: names, addresses, engravings, search words.

Text is brought to NFC, so that the same letters are the same characters. Every kind of space, tab and line break
becomes one plain space. Characters that nobody sees (zero-width spaces, marks of direction, soft hyphens) are left
out, because they come with copied text and make two equal names differ. The two joiners stay where they do something:
between letters of scripts that need them, and inside an emoji. What is then left that cannot be shown is refused by
its name, so that the customer can find it.
"""

from __future__ import annotations

import unicodedata

_JOINERS = frozenset("\u200c\u200d")
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_BREAKS = frozenset("\t\n\v\f\r\x85")
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # letters and marks that draw nothing
_JOINABLE = frozenset("LMS")  # first letters of categories: letters, marks, symbols


class UnreadableCharacterError(ValueError):
    """A character that has no place in a line of text; `character` names it for the customer."""

    def __init__(self, character: str) -> None:
        name = unicodedata.name(character, "")
        self.character = f"U+{ord(character):04X}" + (f" ({name.capitalize()})" if name else "")
        super().__init__(self.character)


def tidy(text: str) -> str:
    """Return a line of text as it is kept and shown.

    Raises:
        UnreadableCharacterError: it holds a control character, or one that no standard defines.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(_kept(composed, place) for place in range(len(composed)))
    # Composed again: what stood between two characters may be gone now.
    return " ".join(unicodedata.normalize("NFC", kept).split())


def tidy_or_drop(text: str) -> str:
    """Return a line of text without what cannot be shown; for questions, which nobody has to correct."""
    readable = "".join(character for character in text if not _is_unreadable(character))
    return tidy(readable)


def _kept(text: str, place: int) -> str:
    """Return what becomes of one character of a text."""
    character = text[place]
    category = unicodedata.category(character)
    if character in _BREAKS or category in _SPACES:
        return " "
    if character in _JOINERS:
        return character if _joins(text[place - 1 : place], text[place + 1 : place + 2]) else ""
    if category == "Cf" or character in _INVISIBLE:
        return ""
    if _is_unreadable(character):
        raise UnreadableCharacterError(character)
    return character


def _joins(before: str, after: str) -> bool:
    """Return whether a joiner between two characters changes what is seen; between Latin letters it does not."""
    return all(side and not side.isascii() and unicodedata.category(side)[0] in _JOINABLE for side in (before, after))


def _is_unreadable(character: str) -> bool:
    return character not in _BREAKS and unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"}
