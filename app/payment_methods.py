"""How customers may pay: from configuration, since titles and tokens are the owner's.

The lab's simulated provider knows test tokens, which stand for no money. They are refused everywhere else: by the
settings of the storefront, and again by the payments service.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

LAB_METHODS: Mapping[str, str] = {
    "tok_visa": "Visa ending in 4242",
    "tok_mastercard": "Mastercard ending in 4444",
    "tok_declined": "Test card that is declined",
}
"""What the lab offers when it is told nothing else."""
TEST_TOKENS = frozenset({*LAB_METHODS, "tok_amex", "tok_discover", "tok_insufficient_funds", "tok_expired"})
"""Tokens of simulated providers: with a real one they are fake money, or an order that never settles."""
TOKEN = re.compile(r"tok_[a-z0-9_]{1,60}")
MOST_METHODS, LONGEST_TITLE = 20, 100


def is_test_token(token: str) -> bool:
    """Whether a token stands for no money; providers begin theirs with these words."""
    return token in TEST_TOKENS or token.startswith(("tok_test", "tok_visa_", "tok_mastercard_", "tok_charge"))


def methods_of(text: str, *, in_lab: bool) -> Mapping[str, str]:
    """Return the methods of a JSON object of titles by token; the lab has its own when there is none.

    Raises:
        ValueError: the text is no such object, or has a test token outside the lab; the message says which.
    """
    if not text and in_lab:
        return LAB_METHODS
    try:
        methods = msgspec.json.decode(text or "{}", type=dict[str, str])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError("expected a JSON object of titles by token, found something else") from error
    if not 1 <= len(methods) <= MOST_METHODS:
        raise ValueError(f"expected 1 to {MOST_METHODS} payment methods, found {len(methods)}")
    for token, title in methods.items():
        if not TOKEN.fullmatch(token) or not 0 < len(title) <= LONGEST_TITLE:
            raise ValueError(f"expected tok_… with a title of 1 to {LONGEST_TITLE} characters, found {token[:70]!r}")
        if not in_lab and is_test_token(token):
            raise ValueError(f"expected the provider's own tokens, found the test token {token!r}")
    return methods
