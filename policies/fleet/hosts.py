"""Names and addresses of other programs in a text: in URLs, in settings of clients, in statements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DATABASE_SCHEMES = frozenset({"postgres", "postgresql", "mysql", "redis", "rediss", "mongodb", "kafka"})
URL = re.compile(
    r"\b(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^\s/@\"']*@)?(?P<host>\[[0-9a-f:]+\]|[\w.-]+)(?::(?P<port>\d+))?",
    re.IGNORECASE,
)
PARAMETER = re.compile(
    r"(?<![\w.-])(?:host(?:addr)?|server)(?:\s*=\s*|\s+)['\"]?(?P<host>[\w-]+(?:\.[\w-]+)+)"
    r"(?:['\"]?[\s,]+port\s*=?\s*['\"]?(?P<port>\d+))?",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"(?<![\w./-])(?P<host>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d+))?(?![\w./])")
NO_ADDRESSES = frozenset({"0.0.0.0", "127.0.0.1", "localhost", "255.255.255.255"})  # noqa: S104 - nobody binds to it


@dataclass(frozen=True)
class Contact:
    """Another program that a text names.

    Attributes:
        host: its name or address, in small letters.
        port: its port; 0 where the text names none.
        scheme: how it is spoken to, as in https; empty where the text does not say.
    """

    host: str
    port: int = 0
    scheme: str = ""

    @property
    def is_database(self) -> bool:
        """Whether it is spoken to as a database, from which a program reads what it holds."""
        return self.scheme in DATABASE_SCHEMES


def contacts_in(written: str) -> Iterator[Contact]:
    """Yield each program that a text names, once for each host and port."""
    seen: set[tuple[str, int]] = set()
    for pattern in (URL, PARAMETER, ADDRESS):
        for match in pattern.finditer(written):
            parts = match.groupdict()
            host, port = parts["host"].lower().strip("[]."), int(parts.get("port") or 0)
            scheme = (parts.get("scheme") or "").lower().partition("+")[0]
            if host and host not in NO_ADDRESSES and scheme != "file" and (host, port) not in seen:
                seen.add((host, port))
                yield Contact(host, port, scheme)


def texts_in(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each text of a document with its path; an entry of a list that has a name is called by it."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from texts_in(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, Sequence):
        for at, value in enumerate(node):
            named = isinstance(value, Mapping) and isinstance(value.get("name"), str)
            yield from texts_in(value, f"{path}[{value['name'] if named else at}]")
