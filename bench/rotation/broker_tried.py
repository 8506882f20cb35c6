"""Runs in a pod of the broker's client: asks it with a certificate that is given. Prints what came of it.

Standard input: a JSON object with the PEM texts `ca.crt`, `tls.crt` and `tls.key`. Output: `accepted`, `refused` with
who refused and why, or `unknown`.
"""

import json
import os
import socket
import ssl
import struct
import sys
import tempfile
from pathlib import Path

SECONDS = 8
CORRELATION = 4711
API_VERSIONS = struct.pack("!ihhih", 10, 18, 0, CORRELATION, -1)
"""Its length, the question for versions, the first form of it, our number, and no name of the client."""


def tried(given: dict[str, str], host: str, port: int, folder: Path) -> str:
    for name, text in given.items():
        (folder / name).write_text(text)
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as line,
            context.wrap_socket(line, server_hostname=host) as server,
        ):
            server.sendall(API_VERSIONS)
            answer = server.recv(8)
    except ssl.SSLCertVerificationError as error:
        return f"refused by the client: {error.verify_message}"
    except ssl.SSLError as error:
        said = str(error)
        return f"refused by the broker: {said}" if "ALERT" in said.upper() else f"unknown: {said}"
    except OSError as error:
        return f"unknown: {type(error).__name__}: {error}"
    return "accepted" if answer[4:] == struct.pack("!i", CORRELATION) else f"unknown: {answer!r}"


def main() -> None:
    host, _, port = os.environ["CLICKS_BOOTSTRAP"].partition(",")[0].rpartition(":")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # all else is read-only in a pod
        print(tried(json.loads(sys.stdin.read()), host, int(port), Path(folder)))


if __name__ == "__main__":
    main()
