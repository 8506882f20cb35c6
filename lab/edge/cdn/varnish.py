"""Commands to a running Varnish."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import Result, run

_SECONDS = 20


class VarnishError(ShopSphereError):
    """Varnish does not run, or refused a command."""


class CompileError(VarnishError):
    """Varnish's compiler refused a configuration; the message is the compiler's."""


@dataclass(frozen=True)
class Varnish:
    """The Varnish that works in `directory`."""

    directory: Path

    def load(self, name: str, file: Path) -> None:
        """Compile a configuration under a name that was not used before; traffic does not see it yet.

        Raises:
            CompileError: the compiler refused it; what was active stays active.
        """
        result = self._command("vcl.load", name, str(file))
        if result.code != 0:
            raise CompileError((result.stdout + result.stderr).strip())

    def use(self, name: str) -> None:
        """Give traffic to a loaded configuration."""
        self._checked("vcl.use", name)

    def discard(self, name: str) -> None:
        """Forget a loaded configuration that is not active."""
        self._checked("vcl.discard", name)

    def active(self) -> str:
        """Return the name of the active configuration; empty when there is none."""
        for line in self._checked("vcl.list").splitlines():
            words = line.split()
            if words and words[0] == "active":
                return words[-1]
        return ""

    def loaded(self) -> list[str]:
        """Return the names of configurations that are loaded and not active."""
        lines = (line.split() for line in self._checked("vcl.list").splitlines())
        return [words[-1] for words in lines if words and words[0] == "available"]

    def shown(self, name: str) -> str:
        """Return the text of a loaded configuration."""
        return self._checked("vcl.show", name)

    def changed_parameters(self) -> list[dict[str, Any]]:
        """Return the parameters that have another value than the program's own, with name, value and default."""
        return [each for each in self._told("param.show", "-j", "changed") if isinstance(each, dict)]

    def set_parameter(self, name: str, value: str) -> None:
        """Change a parameter of the running cache."""
        self._checked("param.set", name, value)

    def reset_parameter(self, name: str) -> None:
        """Give a parameter the program's own value."""
        self._checked("param.reset", name)

    def admin_health(self, configuration: str) -> dict[str, str]:
        """Return what decides on the health of each origin of a loaded configuration: its probe, or somebody's word."""
        told = next((each for each in self._told("backend.list", "-j") if isinstance(each, dict)), {})
        prefix = f"{configuration}."
        return {
            name.removeprefix(prefix): str(each["admin_health"])
            for name, each in told.items()
            if name.startswith(prefix) and each["type"] == "backend"
        }

    def _told(self, *words: str) -> list[Any]:
        """Return a command's answer in JSON, without its head: version, command and time."""
        return list(json.loads(self._checked(*words))[3:])

    def backends(self) -> str:
        """Return Varnish's own table of origins and their health."""
        return self._checked("backend.list")

    def _checked(self, *words: str) -> str:
        result = self._command(*words)
        if result.code != 0:
            raise VarnishError.build(
                f"varnish refused `{' '.join(words)}`",
                expected="exit code 0",
                found=(result.stdout + result.stderr).strip() or f"exit code {result.code}",
                action="look at component cdn-cache: shopsphere lab logs edge cdn-cache",
            )
        return result.stdout

    def _command(self, *words: str) -> Result:
        return run(["varnishadm", "-n", self.directory, *words], check=False, seconds=_SECONDS)
