"""Lines of text as people type, paste and mean them."""

import pytest

from app.text import UnreadableCharacterError, tidy, tidy_or_drop


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada \t Lovelace \n", "Ada Lovelace"),
        ("Ring\u00a01", "Ring 1"),
        ("Ring 1\r\nBack door", "Ring 1 Back door"),
        ("Ring\u20281", "Ring 1"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("A\u200bda", "Ada"),
        ("\ufeffAda", "Ada"),
        ("Donau\u00addampf", "Donaudampf"),
        ("Ada\u200f", "Ada"),
        ("\u202eAda", "Ada"),
        ("A\u200cda", "Ada"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("\U0001f469\u200d\U0001f680", "\U0001f469\u200d\U0001f680"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
        ("\u200d\u200d", ""),
        ("e\u200b\u0301", "\u00e9"),
        ("\u5c71\u7530\u3000\u592a\u90ce", "\u5c71\u7530 \u592a\u90ce"),
    ],
)
def test_a_line_is_kept_as_it_looks(typed: str, kept: str) -> None:
    assert tidy(typed) == kept
    assert tidy(kept) == kept


@pytest.mark.parametrize(
    ("typed", "name"),
    [("A\x00da", "U+0000"), ("A\x1bda", "U+001B"), ("A\ue000", "U+E000"), ("A\U0003ffff", "U+3FFFF")],
)
def test_what_cannot_be_shown_is_refused_by_name_and_dropped_from_a_question(typed: str, name: str) -> None:
    with pytest.raises(UnreadableCharacterError, match=f"^{name.replace('+', '[+]')}"):
        tidy(typed)
    assert tidy_or_drop(typed) in {"Ada", "A"}
