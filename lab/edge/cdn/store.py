"""Distributions on disk and in Varnish, kept the same."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from lab.edge.cdn.distribution import Distribution
from lab.edge.cdn.runtime import Difference, differences, restore_parameters
from lab.edge.cdn.varnish import Varnish
from lab.edge.cdn.vcl import render
from lab.edge.cdn.ways import Ways
from shopsphere.foundation.files import write_whole


@dataclass(frozen=True)
class Store:
    """All distributions; each change is compiled first, then used, then kept.

    Attributes:
        directory: one JSON document per distribution.
        vcl_file: what Varnish starts with after a restart.
        varnish: the cache they are for.
        ways: to the sites that may be origins.
    """

    directory: Path
    vcl_file: Path
    varnish: Varnish
    ways: Ways
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: str) -> Distribution | None:
        """Return a distribution, or None."""
        return self._all().get(name)

    def names(self) -> list[str]:
        """Return the names of all distributions."""
        return sorted(self._all())

    def put(self, distribution: Distribution) -> bool:
        """Make a distribution live and keep it; return whether it is new.

        Raises:
            CompileError: Varnish refused the result; nothing changed.
        """
        with self._lock:
            wanted = self._all()
            is_new = distribution.name not in wanted
            wanted[distribution.name] = distribution
            self._activate(wanted)
            document = json.dumps(distribution.model_dump(mode="json", by_alias=True), indent=2) + "\n"
            write_whole(self._file(distribution.name), document)
            return is_new

    def delete(self, name: str) -> bool:
        """Take a distribution out of service and forget it; return whether there was one."""
        with self._lock:
            wanted = self._all()
            if wanted.pop(name, None) is None:
                return False
            self._activate(wanted)
            self._file(name).unlink()
            return True

    def reconcile(self) -> None:
        """Load what is kept on disk, in case the agent stopped between two steps of a change."""
        with self._lock:
            wanted = self._all()
            if not self.vcl_file.exists() or self.vcl_file.read_text() != render(wanted.values(), self.ways):
                self._activate(wanted)

    def told_otherwise(self) -> list[Difference]:
        """Return what the running cache has otherwise than what is kept here.

        Raises:
            VarnishError: the cache does not answer.
        """
        with self._lock:
            return [*differences(self.varnish, render(self._all().values(), self.ways))]

    def put_back(self) -> list[Difference]:
        """Have the running cache take all from here again; return what is still otherwise.

        Raises:
            VarnishError: the cache does not answer, or refuses.
        """
        with self._lock:
            self._activate(self._all())
            restore_parameters(self.varnish)
        return self.told_otherwise()

    def _activate(self, wanted: dict[str, Distribution]) -> None:
        candidate = self.vcl_file.with_suffix(".candidate")
        write_whole(candidate, render(wanted.values(), self.ways))
        # Varnish accepts each name once in its life; nanoseconds never come twice.
        name = f"cdn_{time.time_ns()}"
        self.varnish.load(name, candidate)
        self.varnish.use(name)
        candidate.replace(self.vcl_file)
        for old in self.varnish.loaded():
            self.varnish.discard(old)

    def _all(self) -> dict[str, Distribution]:
        documents = (json.loads(file.read_text()) for file in sorted(self.directory.glob("*.json")))
        return {item.name: item for item in map(Distribution.model_validate, documents)}

    def _file(self, name: str) -> Path:
        return self.directory / f"{name}.json"
