"""Checks that several providers share; each returns failures that name what was expected and what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult

from shopsphere.clients.edge_identity import KEYS_FOLDER

_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?/?")
_FQDN = re.compile(r"([a-z0-9_-]+\.)+")
_LARGEST_TTL = 86_400


class Checks:
    """Collects failures of one resource's inputs."""

    def __init__(self, inputs: Mapping[str, Any]) -> None:
        self._inputs = dict(inputs)
        self._failures: list[CheckFailure] = []

    def expect(self, condition: object, key: str, expected: str) -> None:
        """Note a failure of `key` unless the condition is true."""
        if not condition:
            self._failures.append(CheckFailure(key, f"expected: {expected}; found: {self._inputs.get(key)!r}"))

    def keys(self, known: Iterable[str]) -> bool:
        """Expect exactly these keys; return whether it is so."""
        wanted, found = set(known), {key for key in self._inputs if not key.startswith("__")}
        for key in sorted(wanted - found):
            self._failures.append(CheckFailure(key, "expected: a value; found: nothing"))
        for key in sorted(found - wanted):
            self._failures.append(CheckFailure(key, f"expected: one of {', '.join(sorted(wanted))}; found: {key!r}"))
        return wanted == found

    def authorities(self) -> None:
        """Expect at least one DNS authority, each with its own name and an address."""
        entries = self._inputs["authorities"]
        self.expect(entries, "authorities", "at least one DNS authority")
        names = [entry.get("name") for entry in entries]
        self.expect(len(set(names)) == len(names) and all(names), "authorities", "a different name for each")
        for entry in entries:
            self.expect(is_url(entry.get("url")), "authorities", "an address like https://host:8081 for each")
        self.keys_folder()

    def keys_folder(self) -> None:
        """Expect a folder with the certificates of those who ask."""
        self.expect(self._inputs[KEYS_FOLDER], KEYS_FOLDER, "path of the folder with the users' certificates")

    def qualified(self, key: str) -> None:
        """Expect a fully qualified name."""
        name = str(self._inputs[key])
        self.expect(_FQDN.fullmatch(name), key, "a name in lower case with a dot at the end")
        if key == "name":
            zone = str(self._inputs["zone"])
            self.expect(name == zone or name.endswith("." + zone), key, f"a name in zone {zone}")

    def ttl(self) -> None:
        """Expect a time to live between 1 s and a day."""
        value = self._inputs["ttl"]
        self.expect(1 <= float(value) <= _LARGEST_TTL, "ttl", f"1 to {_LARGEST_TTL} s")

    def result(self) -> CheckResult:
        """Return the inputs with what was found wrong."""
        return CheckResult(self._inputs, self._failures)


def is_url(value: object) -> bool:
    """Whether it is the root of a service that speaks TLS."""
    return isinstance(value, str) and _URL.fullmatch(value) is not None


def changed(olds: Mapping[str, Any], news: Mapping[str, Any], keys: Iterable[str]) -> list[str]:
    """Return those keys whose value differs between state and declaration."""
    return [key for key in keys if olds.get(key) != news.get(key)]
