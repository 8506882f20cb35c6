"""The books of all who have an account at the provider, apart from each other."""

from __future__ import annotations

import re
from pathlib import Path

from app.psp.store import Store

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
MOST_ACCOUNTS = 50


class NoAccountError(Exception):
    """The name is none that an account can have, or there are too many."""


class Books:
    """A store for each account: one sees nothing of another's charges, and the same key is two charges in two.

    Args:
        file: of the account without a name; that of another one lies beside it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stores = {"": Store(file)}

    def of(self, account: str) -> Store:
        """Return an account's store; whoever names a new account has it opened.

        Raises:
            NoAccountError: there can be no such account.
        """
        if account not in self._stores:
            if not _NAME.fullmatch(account) or len(self._stores) >= MOST_ACCOUNTS:
                raise NoAccountError(account)
            self._stores[account] = Store(self._file.with_stem(f"{self._file.stem}-{account}"))
        return self._stores[account]
