"""The line to headquarters: both sides prove who they are, and only by the authority that is this line's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from export_world import REGION, money_release, signer

from app.bounded_http import NoAnswerError
from app.export.line import MARK, RELEASES, HeadquartersLine, Shelf, trust
from app.export.outbox import LARGEST_SENT, Batch, Mark, Question, Receipt
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

pytestmark = pytest.mark.requirement("releases travel over mutual TLS")

SECONDS = 5.0
SEALED = signer(1).seal(money_release(1))
SESSION = b"s" * 16


@dataclass(frozen=True)
class Certificates:
    """Of headquarters' authority and the regions', and of one that has nothing to say here."""

    folder: Path
    authority: KeyPair
    other: KeyPair
    server: KeyPair
    region: KeyPair
    stranger: KeyPair


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("line")
    ours, other = new_authority(folder / "ours", "line"), new_authority(folder / "other", "other")

    def pair(authority: KeyPair, name: str, *alternatives: str) -> KeyPair:
        files = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
        return issue(authority, files, common_name=name, alternatives=alternatives)

    server = pair(ours, "headquarters", "127.0.0.1")
    return Certificates(folder, ours, other, server, pair(ours, "rdc-a"), pair(other, "stranger", "127.0.0.1"))


@asynccontextmanager
async def headquarters(
    server: KeyPair, authority: KeyPair, answers: dict[str, bytes], *, status: str = "200 OK"
) -> AsyncIterator[tuple[str, list[tuple[str, bytes]]]]:
    """A server that takes clients of one authority only; yields its address and what it was asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    asked: list[tuple[str, bytes]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line[16:]) for line in head.lower().split("\r\n") if line.startswith("content-length: ")), 0
            )
            target = head.split(" ")[1]
            asked.append((target, await reader.readexactly(length)))
            body = answers.get(target, b"{}")
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body
            )
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}", asked


ANSWERS = {
    MARK: msgspec.json.encode(Mark(region=REGION, last=7)),
    RELEASES: msgspec.json.encode(Receipt(region=REGION, last=8)),
    f"{RELEASES}?after=7": msgspec.json.encode(Shelf(releases=(SEALED,))),
}


def ask(
    certificates: Certificates,
    *,
    server: KeyPair | None = None,
    believed: KeyPair | None = None,
    client: KeyPair | None = None,
    answers: dict[str, bytes] | None = None,
    status: str = "200 OK",
) -> tuple[list[object], list[tuple[str, bytes]]]:
    """Ask all three questions and return the answers with what headquarters was asked."""
    client = client or certificates.region

    async def run() -> tuple[list[object], list[tuple[str, bytes]]]:
        async with headquarters(
            server or certificates.server, certificates.authority, answers or ANSWERS, status=status
        ) as (url, asked):
            context = trust((believed or certificates.authority).certificate, client.certificate, client.key)
            line = HeadquartersLine(url, REGION, context, SECONDS)
            try:
                sent = Batch(session=SESSION, releases=(SEALED,))
                return [await line.mark(SESSION), await line.send(sent), await line.fetch(7)], asked
            finally:
                await line.close()

    return asyncio.run(run())


def test_all_three_questions_are_answered_over_the_line(certificates: Certificates) -> None:
    answers, asked = ask(certificates)
    assert answers == [7, Receipt(region=REGION, last=8), (SEALED,)]
    assert [target for target, _ in asked] == [MARK, RELEASES, f"{RELEASES}?after=7"]
    assert msgspec.json.decode(asked[0][1], type=Question).session == SESSION
    assert msgspec.json.decode(asked[1][1], type=Batch).releases == (SEALED,)


@pytest.mark.parametrize(("server", "client"), [(True, False), (False, True), (True, True)])
def test_who_is_of_another_authority_is_not_spoken_with(server: bool, client: bool, certificates: Certificates) -> None:
    stranger = certificates.stranger
    with pytest.raises(NoAnswerError):
        ask(certificates, server=stranger if server else None, client=stranger if client else None)


def test_a_server_under_another_name_is_not_spoken_with(certificates: Certificates) -> None:
    with pytest.raises(NoAnswerError):
        ask(certificates, server=certificates.region)


def test_the_line_is_tls_1_3_and_nothing_else(certificates: Certificates) -> None:
    context = trust(certificates.authority.certificate, certificates.region.certificate, certificates.region.key)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1, "the system's authorities have nothing to say here"
    with pytest.raises(ValueError, match="https"):
        HeadquartersLine("http://127.0.0.1", REGION, context)


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (ANSWERS, "403 Forbidden"),
        (ANSWERS, "503 Service Unavailable"),
        ({**ANSWERS, MARK: b"{}"}, "200 OK"),
        ({**ANSWERS, MARK: msgspec.json.encode(Mark(region=2, last=7))}, "200 OK"),
        ({**ANSWERS, RELEASES: msgspec.json.encode(Receipt(region=2, last=8))}, "200 OK"),
        ({**ANSWERS, RELEASES: b'{"region":1,"last":8,"note":"x"}'}, "200 OK"),
        ({**ANSWERS, f"{RELEASES}?after=7": b"[" * 70_000}, "200 OK"),
        ({**ANSWERS, MARK: b" " * 2**20 + ANSWERS[MARK]}, "200 OK"),
        ({**ANSWERS, f"{RELEASES}?after=7": b" " * LARGEST_SENT + ANSWERS[f"{RELEASES}?after=7"]}, "200 OK"),
    ],
)
def test_what_is_no_answer_is_none(answers: dict[str, bytes], status: str, certificates: Certificates) -> None:
    with pytest.raises(NoAnswerError):
        ask(certificates, answers=answers, status=status)
