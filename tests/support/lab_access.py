"""How the tests of the lab reach it: what the fixtures `at`, `kube`, `sql` and `lab` can be asked."""

from collections.abc import Callable
from typing import Any, Protocol

from shopsphere.foundation.process import Result


class At(Protocol):
    """Run a command at a host."""

    def __call__(self, host: str, *command: str, check: bool = True, seconds: float = 60) -> Result: ...


class Kube(Protocol):
    """Read a Kubernetes object or list as a document."""

    def __call__(self, site: str, *words: str) -> dict[str, Any]: ...


class Page(Protocol):
    """Fetch a page as a customer does."""

    def __call__(self, host: str, path: str = "/") -> str: ...


class Lab(Protocol):
    """Run the command under test."""

    def __call__(self, *words: str, check: bool = True, seconds: float = 600) -> Result: ...


Sql = Callable[[str, str, str], str]
"""Ask a site's database: site, database and statement give the rows as tab-separated text."""
