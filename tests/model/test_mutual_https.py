"""Headquarters' server for regions: nothing that a caller sends is larger, slower or more than it may be."""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from free_port import free_port
from structlog.testing import capture_logs

from app.errors import ShopError
from app.export import mutual_https
from app.export.callers import region_of, trust_of_server
from app.export.line import trust
from app.export.mutual_https import Asked, MutualHttps, Said
from app.export.renewed import Renewed
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

pytestmark = pytest.mark.requirement("releases travel over mutual TLS")

T = TypeVar("T")
LARGEST = 1000
CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Certificates:
    folder: Path
    authority: KeyPair
    server: KeyPair
    region: KeyPair


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    authority = new_authority(tmp_path / "line", "line")

    def pair(name: str, *alternatives: str) -> KeyPair:
        files = KeyPair(tmp_path / f"{name}.crt", tmp_path / f"{name}.key")
        return issue(authority, files, common_name=name, alternatives=alternatives)

    return Certificates(tmp_path, authority, pair("headquarters", "127.0.0.1"), pair("region-7"))


async def echo(asked: Asked) -> Said:
    if asked.path == "/fails":
        raise ValueError("it does")
    said = f"{asked.region} {asked.method} {asked.path} {asked.query} {len(asked.body)}"
    return Said(200, said.encode())


def context_of(certificates: Certificates) -> Renewed[ssl.SSLContext]:
    server = certificates.server
    files = (certificates.authority.certificate, server.certificate, server.key)
    return Renewed("the certificate", files, lambda: trust_of_server(*files))


def served(certificates: Certificates, work: Callable[[int, MutualHttps], Awaitable[T]]) -> T:
    """Return what is made of a server that answers."""

    async def run() -> T:
        server, port = MutualHttps(context_of(certificates).now, echo, LARGEST), free_port()
        server.bind("127.0.0.1", port)
        server.listen()
        try:
            async with asyncio.timeout(30):
                return await work(port, server)
        finally:
            await server.close()

    return asyncio.run(run())


async def ask(certificates: Certificates, port: int, request: bytes) -> bytes:
    """Send some bytes and return all that comes back."""
    client = certificates.region
    context = trust(certificates.authority.certificate, client.certificate, client.key)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; the server's own time is the bound."""
    while not holds():  # noqa: ASYNC110 nothing tells when it does
        await asyncio.sleep(0.01)


def status(answer: bytes) -> str:
    return answer.split(b" ", 2)[1].decode()


def post(length: int, body: bytes, path: bytes = b"/a?b=1") -> bytes:
    return b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (path, length, body)


def test_who_asks_is_known_by_its_certificate_and_one_connection_carries_one_request(
    certificates: Certificates,
) -> None:
    async def work(port: int, _: MutualHttps) -> bytes:
        return await ask(certificates, port, 2 * post(4, b"body"))

    answer = served(certificates, work)
    assert answer.endswith(b"\r\n\r\n7 POST /a b=1 4")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (post(LARGEST, b"x" * LARGEST), "200"),
        (post(LARGEST + 1, b"x" * (LARGEST + 1)), "413"),
        (CHUNKED + 2 * (b"258\r\n%s\r\n" % (b"x" * 600)), "413"),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 3500, "431"),
        (b"GET / HTTP/1.1\r\n\r\n", "400"),
        (b"\x00" * 100 + b"\r\n\r\n", "400"),
        (post(4, b"body", b"/fails"), "500"),
    ],
)  # fmt: skip
def test_what_is_too_large_or_no_request_is_refused(request_: bytes, expected: str, certificates: Certificates) -> None:
    async def work(port: int, _: MutualHttps) -> str:
        return status(await ask(certificates, port, request_))

    assert served(certificates, work) == expected


def test_who_is_slow_is_not_waited_for(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutual_https, "READ_SECONDS", 0.2)
    monkeypatch.setattr(mutual_https, "SHAKE_SECONDS", 0.2)

    async def work(port: int, server: MutualHttps) -> tuple[str, bytes, int]:
        slow = status(await ask(certificates, port, post(4, b"bo")))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        silent = await reader.read()
        writer.close()
        await until(lambda: not server.connections)
        return slow, silent, server.strangers

    assert served(certificates, work) == ("408", b"", 1)


def test_one_region_holds_few_connections_and_strangers_few_places(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutual_https, "MOST_OF_ONE", 1)
    monkeypatch.setattr(mutual_https, "MOST_CONNECTIONS", 3)

    async def work(port: int, server: MutualHttps) -> list[int]:
        held = asyncio.create_task(ask(certificates, port, b"GET / HTTP/1.1\r\n"))
        await until(lambda: bool(server.connections))
        await asyncio.sleep(0.2)
        second = await ask(certificates, port, post(0, b""))
        found = [len(second), server.turned_away]
        strangers = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        await until(lambda: server.turned_away > 1 and server.connections <= 3)
        found += [server.connections, server.turned_away]
        for each in strangers:
            each.close()
        held.cancel()
        return found

    assert served(certificates, work) == [0, 1, 3, 2]


def test_what_is_renewed_is_read_anew_and_what_is_half_written_is_not(certificates: Certificates) -> None:
    context, server = context_of(certificates), certificates.server
    first = context.now()
    assert context.now() is first
    whole = server.certificate.read_bytes()
    server.certificate.write_bytes(whole[:100])
    assert context.now() is first
    files = KeyPair(certificates.folder / "next.crt", certificates.folder / "next.key")
    issue(certificates.authority, files, common_name="headquarters", alternatives=("127.0.0.1",))
    files.certificate.replace(server.certificate)
    assert context.now() is first, "its key is not there yet"
    files.key.replace(server.key)
    assert context.now() is not first
    server.key.unlink()
    assert context.now() is not first
    with pytest.raises(ShopError, match="the certificate cannot be used"):
        context_of(certificates)


def test_a_port_that_somebody_has_is_refused(certificates: Certificates) -> None:
    async def work(port: int, _: MutualHttps) -> None:
        with pytest.raises(ShopError, match=f"127.0.0.1:{port}, which nobody else has"):
            MutualHttps(context_of(certificates).now, echo, LARGEST).bind("127.0.0.1", port)

    served(certificates, work)


def test_the_line_is_tls_1_3_with_a_certificate_each_time(certificates: Certificates) -> None:
    context = context_of(certificates).now()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.num_tickets == 0
    assert len(context.get_ca_certs()) == 1, "the system's authorities have nothing to say here"


@pytest.mark.parametrize(
    ("names", "region"),
    [
        (("region-1",), 1), (("region-99",), 99), (("region-0",), None), (("region-100",), None), (("Region-1",), None),
        (("region-1\n",), None), (("region-1", "region-2"), None), ((), None), (("region-01",), None),
    ],
)  # fmt: skip
def test_a_certificate_is_of_one_region_or_of_none(names: tuple[str, ...], region: int | None) -> None:
    assert region_of({"subject": tuple((("commonName", name),) for name in names)}) == region
    assert region_of({"subject": ((("organizationName", "region-1"),),)}) is None
    assert region_of(None) is None


def test_what_could_not_be_read_is_tried_again_though_no_file_changes(certificates: Certificates) -> None:
    """Rights, and a process without a free file, leave no trace in what tells one content from another."""
    file, problems = certificates.folder / "some", [OSError(24, "Too many open files")]

    def make() -> int:
        if problems and file.stat().st_size > 1:
            raise problems[-1]
        return file.stat().st_size

    file.write_text("1")
    renewed = Renewed("a number", [file], make)
    file.write_text("22")
    with capture_logs() as lines:
        assert [renewed.now() for _ in range(3)] == [1, 1, 1]
    assert len(lines) == 1, "one line for one change"
    problems.clear()
    assert renewed.now() == 2


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nbodyb", "400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4, 5\r\n\r\nbodyb", "400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %s\r\n\r\n" % (b"9" * 19), "413"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %s\r\n\r\n" % (b"9" * 30), "400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        (CHUNKED + b"5;" + b"e" * 40000 + b"\r\n", "431"),
        (CHUNKED + b"-5\r\n", "400"),
        (CHUNKED + b"0\r\n" + b"a: b\r\n" * 6000, "431"),
        (b"POST / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\na: b\r\n c: d\r\nx y: z\r\n\r\n", "400"),
        (b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n", "200"),
        (b"HEAD /fails HTTP/1.1\r\nhost: x\r\n\r\n", "500"),
    ],
)  # fmt: skip
def test_a_request_with_two_meanings_is_answered_once_or_refused(
    request_: bytes, expected: str, certificates: Certificates
) -> None:
    async def work(port: int, server: MutualHttps) -> bytes:
        answer = await ask(certificates, port, request_)
        await until(lambda: not server.connections)
        return answer

    answer = served(certificates, work)
    assert (status(answer) if answer else "none", answer.count(b"HTTP/1.1")) == (expected, 1)


def test_who_closes_half_way_leaves_nothing_behind(certificates: Certificates) -> None:
    async def work(port: int, server: MutualHttps) -> tuple[int, str]:
        for begun in (b"", b"POST / HT", post(100, b"half")):
            client = certificates.region
            context = trust(certificates.authority.certificate, client.certificate, client.key)
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(begun)
            await writer.drain()
            writer.transport.abort()
        for bytes_ in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.sendall(bytes_)
                plain.shutdown(socket.SHUT_WR)
        await until(lambda: not server.connections)
        return server.strangers, status(await ask(certificates, port, post(0, b"")))

    assert served(certificates, work) == (3, "200")


@pytest.mark.parametrize("name", ["region-7\x00", "region-8,CN=region-7", "headquarters", "none", "stranger"])
def test_a_certificate_that_is_not_of_one_region_is_not_spoken_with(name: str, certificates: Certificates) -> None:
    files = KeyPair(certificates.folder / "other.crt", certificates.folder / "other.key")
    authority = certificates.authority
    if name == "stranger":
        authority = new_authority(certificates.folder / "foreign", "line")
    issue(authority, files, common_name="region-7" if name == "stranger" else name, alternatives=("region-7",))
    context = ssl.create_default_context(cafile=certificates.authority.certificate)
    if name != "none":
        context.load_cert_chain(files.certificate, files.key)

    async def work(port: int, server: MutualHttps) -> tuple[bytes, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        answer = b""
        with suppress(OSError):  # it is told in TLS that it is unknown
            writer.write(post(0, b""))
            answer = await reader.read()
        writer.close()
        await until(lambda: not server.connections)
        return answer, server.strangers

    assert served(certificates, work) == (b"", 1)


def test_a_process_without_a_free_file_goes_on_once_it_has_one(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutual_https, "_PAUSE_SECONDS", 0.1)

    async def work(port: int, server: MutualHttps) -> str:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        waiting = [socket.socket() for _ in range(3)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(each.fileno() for each in waiting) + 1, hard))
        held: list[socket.socket] = []
        try:
            with suppress(OSError):
                while True:
                    held.append(socket.socket())
            for each in waiting:
                each.connect(("127.0.0.1", port))
            await asyncio.sleep(0.3)
            assert server.connections == 0
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for each in (*held, *waiting):
                each.close()
        return status(await ask(certificates, port, post(0, b"")))

    assert served(certificates, work) == "200"


def test_strangers_that_hold_every_place_keep_no_region_out(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutual_https, "MOST_CONNECTIONS", 3)

    async def work(port: int, server: MutualHttps) -> tuple[str, int, list[bytes]]:
        strangers = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await until(lambda: server.connections == 3)
        answer = status(await ask(certificates, port, post(0, b"")))
        oldest = await strangers[0][0].read()
        await until(lambda: server.connections == 2)
        found = server.turned_away
        for _, writer in strangers:
            writer.close()
        return answer, found, [oldest]

    assert served(certificates, work) == ("200", 1, [b""])
