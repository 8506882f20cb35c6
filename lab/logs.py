"""Reading the logs of a host's components."""

from __future__ import annotations

import sys

from lab.hosts import LabHosts
from lab.paths import control_directory, log_directory
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import become, tail

CONTROL = "control"


def show_logs(host: str, component: str | None, lines: int, hosts: LabHosts, *, follow: bool = False) -> None:
    """Print the last `lines` lines of one component, or of each; with `follow`, also what is added from then on.

    Raises:
        UnknownHostError: no such host.
        ShopSphereError: no such component.
    """
    directory = control_directory() if host == CONTROL else log_directory(hosts.host(host).name)
    files = sorted(directory.glob("*.log"))
    chosen = [file for file in files if component in {None, file.stem}]
    if not chosen:
        raise ShopSphereError.build(
            f"{host} has no log of {component or 'anything'}",
            expected=", ".join(file.stem for file in files) or "a host that was started",
            found=str(component),
            action="use one of these names, or start the lab",
        )
    if follow:
        # tail knows how to go on when a component starts its log anew.
        become(["tail", f"--lines={lines}", "-F", *map(str, chosen)])
    for file in chosen:
        if len(chosen) > 1:
            sys.stdout.write(f"==> {file.stem}\n")
        sys.stdout.write(tail(file, lines) + "\n")
