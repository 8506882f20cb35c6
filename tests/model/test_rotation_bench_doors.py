"""What the bench of rotations tries at doors: replication with certificates, and a cart with a cookie of before."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import httpx
import pytest

from shopsphere.estate.pair_secrets import AUTHORITY, REPLICATION_USER, generate_certificates
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

sys.path.append(str(REPOSITORY / "bench" / "rotation"))
import visitor
from shopper import Shopper
from tls_tried import tried

TOPOLOGY = load_topology()
OLD, NEW = (generate_certificates(TOPOLOGY, TOPOLOGY.pair("rdc-a")) for _ in range(2))
ADMITTED = struct.pack("!cII", b"R", 8, 0)
TURNED_AWAY = b"E" + struct.pack("!I", 40) + b"SFATAL\0C28000\0Mno such role\0\0"


@contextmanager
def database(folder: Path, secrets: dict[str, str], believed: str, answer: bytes) -> Iterator[int]:
    """A server that speaks as PostgreSQL does until a session has begun; yields its port."""
    for name in ("commerceServerCertificate", "commerceServerKey"):
        (folder / name).write_text(secrets[name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "commerceServerCertificate", folder / "commerceServerKey")
    context.load_verify_locations(cadata=believed)
    context.verify_mode = ssl.CERT_REQUIRED
    began: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):  # an error of TLS is one, too
            line, _ = listener.accept()
            with line:
                assert line.recv(8) == struct.pack("!II", 8, 80877103)
                line.sendall(b"S")
                with context.wrap_socket(line, server_side=True) as client:
                    began.append(client.recv(400))
                    client.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
    for each in began:
        assert each[8:] == b"user\0streaming_replica\0replication\0true\0\0"
        assert struct.unpack("!I", each[:4]) == (len(each),)


@pytest.mark.parametrize(
    ("authority", "shown", "believed", "answer", "found"),
    [
        (NEW, NEW, NEW[AUTHORITY], ADMITTED, "accepted"),
        (OLD, OLD, NEW[AUTHORITY], ADMITTED, "refused by the client: "),
        (NEW, OLD, NEW[AUTHORITY], ADMITTED, "refused by the server: "),
        (NEW, OLD, NEW[AUTHORITY] + OLD[AUTHORITY], ADMITTED, "accepted"),
        (NEW, NEW, NEW[AUTHORITY], TURNED_AWAY, "refused by the server: SFATAL C28000 Mno such role"),
        (NEW, NEW, NEW[AUTHORITY], b"X", "unknown: "),
    ],
    ids=["new", "old", "old certificate", "old certificate while two are believed", "turned away", "another program"],
)
def test_replication_begins_with_what_is_believed(
    authority: dict[str, str], shown: dict[str, str], believed: str, answer: bytes, found: str, tmp_path: Path
) -> None:
    with database(tmp_path, NEW, believed, answer) as port:
        question = {
            "address": "127.0.0.1", "port": port, "user": REPLICATION_USER, "authority": authority[AUTHORITY],
            "certificate": shown["replicationCertificate"], "key": shown["replicationKey"],
        }  # fmt: skip
        said = tried(question, tmp_path)
    assert said.startswith(found)
    assert said != "accepted" or found == said


COOKIE = "__Host-session"


def shop(request: httpx.Request) -> httpx.Response:
    """Knows one cart: that of the cookie which it gives to whoever puts something into one."""
    if request.url.path == "/cart/items":
        return httpx.Response(303, headers={"set-cookie": f"{COOKIE}=a.b; Path=/; Secure", "location": "/cart"})
    form = '<form action="/cart/items" method="post"><input name="sku" value="x"></form>'
    is_theirs = f"{COOKIE}=a.b" in request.headers.get("cookie", "")
    cart = f'<a href="/products/{visitor.ARTICLE}">' if is_theirs else "Nothing in here yet"
    return httpx.Response(200, text=cart if request.url.path == "/cart" else form)


def shopper() -> Shopper:
    found = Shopper(f"https://{visitor.HOST}")
    found.http.close()
    found.http = httpx.Client(base_url=f"https://{visitor.HOST}", transport=httpx.MockTransport(shop))
    return found


def test_a_cart_is_its_customers_as_long_as_the_cookie_is_believed() -> None:
    first = visitor.asked(shopper(), {})
    assert first == {"said": "accepted", "cookies": {COOKIE: "a.b"}}
    assert visitor.asked(shopper(), first["cookies"])["said"] == "accepted"
    assert visitor.asked(shopper(), {COOKIE: "a.forged"})["said"] == "refused"
