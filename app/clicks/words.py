"""Search words without what could tell who searched."""

from __future__ import annotations

import unicodedata

from app.text import tidy_or_drop

LONGEST = 64
"""Characters of a search that are kept."""
DIGITS = 6
"""So many digits are a telephone, order or card number rather than a product."""
_MAIL = ("@", "%40", "(at)", "[at]")


def cleaned(text: str) -> str:
    """Return search words in lower case, at most LONGEST characters; empty when they look personal.

    Personal is what holds a sign of a mail address, in any of its forms, or DIGITS digits or more of any script.
    The whole text is judged, also what is cut off.
    """
    if text.isascii() and text.isprintable():
        tidy = " ".join(text.lower().split())
    else:
        tidy = tidy_or_drop(unicodedata.normalize("NFKC", text)).lower()
    together = tidy.replace(" ", "")
    if any(sign in together for sign in _MAIL) or sum(map(str.isdigit, tidy)) >= DIGITS:
        return ""
    return tidy[:LONGEST].rstrip()
