"""Runs at a site: begins replication from databases of the other site, with certificates that are given. Prints JSON.

Standard input: a list of `address`, `port`, `user`, and PEM texts `authority`, `certificate`, `key`. Output: for each
what came of it: `accepted`, `refused` with who refused and why, or `unknown` where nothing was heard of certificates.
"""

import json
import socket
import ssl
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

SSL_REQUEST = struct.pack("!II", 8, 80877103)
SECONDS = 8


def start_of_replication(user: str) -> bytes:
    words = b"\0".join([b"user", user.encode(), b"replication", b"true", b"\0"])
    return struct.pack("!II", len(words) + 8, 196608) + words


def listen_for_an_alert(server: ssl.SSLSocket) -> None:
    """A server says after the handshake that it does not believe us; what we send then is answered by a reset alone."""
    server.settimeout(1)
    with suppress(TimeoutError):
        server.recv(1)
    server.settimeout(SECONDS)


def tried(question: dict[str, Any], folder: Path) -> str:
    for name in ("authority", "certificate", "key"):
        (folder / name).write_text(question[name])
    context = ssl.create_default_context(cafile=str(folder / "authority"))
    context.check_hostname = False
    context.load_cert_chain(folder / "certificate", folder / "key")
    with socket.create_connection((question["address"], question["port"]), timeout=SECONDS) as line:
        line.sendall(SSL_REQUEST)
        if line.recv(1) != b"S":
            return "unknown: the server takes no TLS"
        try:
            with context.wrap_socket(line) as server:
                listen_for_an_alert(server)
                server.sendall(start_of_replication(question["user"]))
                answer = server.recv(400)
        except ssl.SSLCertVerificationError as error:
            return f"refused by the client: {error.verify_message}"
        except (ssl.SSLError, ConnectionResetError) as error:
            said = str(error)
            alert = "ALERT" in said.upper()
            return f"refused by the server: {said}" if alert else f"unknown: {type(error).__name__}: {said}"
    if answer[:1] == b"R" and answer[5:9] == b"\0\0\0\0":
        return "accepted"
    said = answer[5:].replace(b"\0", b" ").decode(errors="replace").strip()
    return f"refused by the server: {said}" if answer[:1] == b"E" else f"unknown: {said}"


def main() -> None:
    found = []
    with tempfile.TemporaryDirectory(prefix="tls-") as folder:
        for question in json.loads(sys.stdin.read()):
            try:
                found.append(tried(question, Path(folder)))
            except OSError as error:
                found.append(f"unknown: {type(error).__name__}: {error}")
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
