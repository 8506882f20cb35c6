"""One question to one name server, with the client's network in it: just what steering depends on."""

from __future__ import annotations

import secrets
import socket
import struct
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network

from shopsphere.foundation.errors import NoAnswerError

CLASS_IN, TYPE_A, TYPE_CNAME, TYPE_OPT = 1, 1, 5, 41
CLIENT_SUBNET_OPTION, FAMILY_IPV4 = 8, 1  # RFC 7871
RECURSION_DESIRED, RESPONSE_CODE_MASK, POINTER = 0x0100, 0x000F, 0xC0
PAYLOAD_BYTES = 1232  # the DNS flag day 2020 figure: never fragmented
SENDS = 3
"""How often a question is sent within its bound: one packet that is lost says nothing of a server."""
RESPONSE_CODES = {0: "no such record", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}


class NameServerError(NoAnswerError):
    """A name server gave no address: no answer, a refusal or an empty one."""


def ask_address(
    server: IPv4Address, name: str, *, client: IPv4Network | None = None, seconds: float = 2, port: int = 53
) -> tuple[IPv4Address, ...]:
    """Ask for the A records of a name and return them in order.

    Args:
        server: address of the name server.
        name: the name, without a closing dot.
        client: network on whose behalf is asked (EDNS client subnet); None asks for oneself.
        seconds: bound on the answer.
        port: UDP port of the name server.

    Raises:
        NameServerError: no answer in time, or one without an address.
    """
    identity = secrets.randbelow(1 << 16)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.settimeout(seconds / SENDS)
            link.connect((str(server), port))
            answer = _answer(link, _question(identity, name, client))
    except OSError as error:
        raise NameServerError(f"{server}: no answer to {name} within {seconds} s ({error})") from error
    try:
        code, addresses = _read(answer, identity)
    except (struct.error, IndexError, ValueError) as error:
        raise NameServerError(f"{server}: an answer to {name} that cannot be read ({error})") from error
    if not addresses:
        raise NameServerError(f"{server}: {name}: {RESPONSE_CODES.get(code, f'response code {code}')}")
    return addresses


def _answer(link: socket.socket, question: bytes) -> bytes:
    """Send a question until there is an answer, which may be that to an earlier packet: it is the same question."""
    for _ in range(SENDS - 1):
        link.send(question)
        with suppress(TimeoutError):
            return link.recv(4096)
    link.send(question)
    return link.recv(4096)


def _question(identity: int, name: str, client: IPv4Network | None) -> bytes:
    header = struct.pack("!6H", identity, RECURSION_DESIRED, 1, 0, 0, 1)
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    options = b""
    if client is not None:
        # Only the bytes that the prefix covers are sent.
        address = client.network_address.packed[: (client.prefixlen + 7) // 8]
        body = struct.pack("!HBB", FAMILY_IPV4, client.prefixlen, 0) + address
        options = struct.pack("!HH", CLIENT_SUBNET_OPTION, len(body)) + body
    extra = b"\x00" + struct.pack("!HHIH", TYPE_OPT, PAYLOAD_BYTES, 0, len(options)) + options
    return header + labels + b"\x00" + struct.pack("!HH", TYPE_A, CLASS_IN) + extra


def _read(answer: bytes, identity: int) -> tuple[int, tuple[IPv4Address, ...]]:
    found, flags, questions, answers, _, _ = struct.unpack_from("!6H", answer)
    if found != identity:
        raise ValueError("it belongs to another question")
    place = 12
    for _ in range(questions):
        place = _skip_name(answer, place) + 4
    addresses = []
    for _ in range(answers):
        place = _skip_name(answer, place)
        kind, _, _, length = struct.unpack_from("!HHIH", answer, place)
        place += 10
        if kind == TYPE_A:
            addresses.append(IPv4Address(answer[place : place + 4]))
        place += length
    return flags & RESPONSE_CODE_MASK, tuple(addresses)


def _skip_name(answer: bytes, place: int) -> int:
    while length := answer[place]:
        if length & POINTER == POINTER:
            return place + 2
        place += length + 1
    return place + 1
