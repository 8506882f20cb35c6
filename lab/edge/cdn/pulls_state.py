"""Whether what fetches for the cache runs, and whether it shows the certificate that lies in its file."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.edge.cdn.runtime import Difference
from shopsphere.foundation.certificates import serial_in

CERTIFICATE = "certificate shown to origins"
_SECONDS = 5.0
_SERIAL = re.compile(r"^Serial: *([0-9A-Fa-f]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Pulls:
    """The program that fetches.

    Attributes:
        admin: its socket for commands.
        certificate: file of the certificate that it shows.
    """

    admin: Path
    certificate: Path

    def differences(self) -> Iterator[Difference]:
        """Yield one where it does not run, or shows another certificate than that of its file."""
        declared, live = _told_of(self.certificate), self._shown()
        if declared != live:
            yield Difference(CERTIFICATE, declared, live)

    def _shown(self) -> str:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(_SECONDS)
                line.connect(str(self.admin))
                line.sendall(f"show ssl cert {self.certificate}\n".encode())
                answer = b"".join(iter(lambda: line.recv(4096), b"")).decode(errors="replace")
        except OSError as error:
            return f"nothing is fetched: {self.admin}: {error.strerror or error}"
        found = _SERIAL.search(answer)
        return f"serial {int(found[1], 16):x}" if found else "nothing is fetched: no such certificate is loaded"


def _told_of(file: Path) -> str:
    try:
        return f"serial {serial_in(file)}"
    except (OSError, ValueError) as error:
        return f"no certificate in {file}: {error}"
