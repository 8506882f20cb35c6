"""Commands inside a host, as a person at its console would run them."""

from __future__ import annotations

from collections.abc import Sequence

from lab.host import power
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import Result, become, run

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


class HostOffError(ShopSphereError):
    """The host has no power, so nothing can run there."""


def command_inside(host: str, command: Sequence[str]) -> list[str]:
    """Return `command` wrapped so that it runs in the namespaces of `host`.

    Raises:
        HostOffError: the host has no power.
    """
    found = power.identity(host)
    if found is None:
        raise HostOffError.build(
            f"host {host} is off",
            expected="a running host",
            found="no process of it",
            action=f"`shopsphere lab power-on {host}`, or `shopsphere lab up` when it was never started",
        )
    trust = [f"{name}={_BUNDLE}" for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")]
    return ["nsenter", f"--target={found.pid}", "--mount", "--uts", "--net", "--pid", "env", *trust, *command]


def run_inside(
    host: str, command: Sequence[str], *, check: bool = True, seconds: float = 60, stdin: str | None = None
) -> Result:
    """Run a command inside a host and return what it printed.

    Raises:
        HostOffError: the host has no power.
        CommandError: the command failed.
    """
    return run(command_inside(host, command), check=check, seconds=seconds, stdin=stdin)


def become_inside(host: str, command: Sequence[str]) -> None:
    """Replace this process by a command inside a host, so that terminal and exit code are its own."""
    become(command_inside(host, command))
