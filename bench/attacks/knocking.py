"""Runs where the attacker is, with nothing but Python: one JSON list of questions in, one list of answers out.

An answer has `kind` (how far it came), `status`, `text` (the beginning of what came, or the error) and `port` (from
which it was asked, as logs have it). Kinds are `http`, `bytes`, `dns`, `scan`, `held` and `run` for what answered;
`refused`, `reset`, `closed`, `tls` for what was sent away, `silent` and `unreachable` for what says nothing about why;
`error` is a fault of ours. The questions are those of `attempt.py`.
"""

import hashlib
import http.client
import json
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

SECONDS = 6
TEXT = 400
SIDE_BY_SIDE = 64
Given = dict[str, Any]


class Away(Exception):  # noqa: N818 - it is an answer
    """Was sent away: `kind` says how."""

    def __init__(self, kind: str, text: str, port: int = 0) -> None:
        super().__init__(text)
        self.kind, self.text, self.port = kind, text, port


def kind_of(error: BaseException) -> str:
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "closed"
    if isinstance(error, ssl.SSLError):  # an alert is the peer's; all else is no refusal, as where nobody speaks TLS
        return "tls" if "ALERT" in str(error) else "error"
    kinds: list[tuple[Any, str]] = [
        (ConnectionRefusedError, "refused"),
        ((ConnectionResetError, BrokenPipeError), "reset"),
        (TimeoutError, "silent"),
        ((http.client.RemoteDisconnected, http.client.BadStatusLine, EOFError), "closed"),
        (socket.gaierror, "error"),
        (OSError, "unreachable"),
    ]
    return next((kind for types, kind in kinds if isinstance(error, types)), "error")


@contextmanager
def line_to(host: str, port: int, seconds: float = SECONDS) -> Iterator[tuple[socket.socket, int]]:
    """A connection and the port that it is made from, which is known also where it is refused."""
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as line:
        line.settimeout(seconds)
        line.bind(("::" if family == socket.AF_INET6 else "", 0))
        own = line.getsockname()[1]
        try:
            line.connect(place)
            yield line, own
        except (OSError, EOFError, http.client.HTTPException, ValueError) as error:
            raise Away(kind_of(error), f"{type(error).__name__}: {error}"[:300], own) from error


def context_of(question: Given) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if question.get("certificate"):
        context.load_cert_chain(*question["certificate"])
    return context


def http_answer(question: Given) -> Given:
    """HTTP to the address `at`, or the URL's own host."""
    if "first" in question:  # a token, as etcd hands them out
        given = json.loads(http_answer({**question["first"], "whole": True})["text"])
        question = {**question, "headers": {**question.get("headers", {}), "Authorization": given["token"]}}
    url = urlsplit(question["url"])
    port = url.port or (443 if url.scheme == "https" else 80)
    body = question.get("body")
    with line_to(question.get("at") or url.hostname or "", port) as (line, own):
        asking = http.client.HTTPConnection(url.netloc, timeout=SECONDS)
        asking.sock = line
        if url.scheme == "https":
            asking.sock = context_of(question).wrap_socket(line, server_hostname=url.hostname)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {"Host": url.netloc, **(question.get("headers") or {})}
        asking.request(question.get("method") or "GET", path, body and body.encode(), headers)
        answer = asking.getresponse()
        found = answer.read()
    if question.get("digest"):
        text = hashlib.sha256(found).hexdigest()
    else:
        text = found[: None if question.get("whole") else TEXT].decode(errors="replace")
    return {"kind": "http", "status": answer.status, "text": text, "port": own}


def tcp(question: Given) -> Given:
    """Bytes to a port; whatever comes back is an answer, also nothing at all while the connection stays."""
    with line_to(*question["tcp"]) as (line, own):
        line.sendall(bytes.fromhex(question.get("send", "")))
        line.settimeout(2)
        try:
            found = line.recv(TEXT)
        except TimeoutError:
            return {"kind": "bytes", "status": 0, "text": "connected, and nothing said", "port": own}
        if not found:
            raise EOFError("connected, and closed without a word")
        return {"kind": "bytes", "status": 0, "text": found.decode("latin-1"), "port": own}


def dns(question: Given) -> Given:
    """A DNS message; `udp` or not."""
    host, port = question["dns"]
    message = bytes.fromhex(question["message"])
    if question.get("udp"):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.settimeout(SECONDS)
            line.connect((host, port))
            own = line.getsockname()[1]
            try:
                line.send(message)
                found = line.recv(4096)
            except OSError as error:
                raise Away(kind_of(error), f"{type(error).__name__}: {error}", own) from error
    else:
        with line_to(host, port) as (line, own):
            line.sendall(struct.pack("!H", len(message)) + message)
            reading = line.makefile("rb")
            found = reading.read(struct.unpack("!H", reading.read(2).ljust(2, b"\0"))[0])
            if len(found) < 12:
                raise EOFError("closed without an answer")
    _, flags, _, answers, *_ = struct.unpack("!6H", found[:12])
    text = f"rcode {flags & 15}, {answers} answers"
    return {"kind": "dns", "status": flags & 15, "text": text, "answers": answers, "port": own}


def scan(question: Given) -> Given:
    """Which of many ports of a host take a connection."""
    host, ports = question["scan"]

    def tried(port: int) -> tuple[str, int, int]:
        try:
            with line_to(host, port) as (_, own):
                return "open", port, own
        except Away as away:
            return away.kind, port, away.port

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = list(pool.map(tried, ports))
    opened = [port for kind, port, _ in found if kind == "open"]
    silent = [port for kind, port, _ in found if kind not in {"open", "refused"}]
    refused = [own for kind, _, own in found if kind == "refused"]
    text = f"{len(opened)} open, {len(refused)} refused, {len(silent)} neither"
    return {"kind": "scan", "status": 0, "text": text, "open": opened, "silent": silent[:40], "ports": refused[:200]}


def slow(question: Given) -> Given:
    """Connections that say a byte every two seconds, opened side by side and then held."""
    lines: list[socket.socket] = []

    def begin(_: int) -> str:
        line = socket.socket()
        line.settimeout(3)
        try:
            line.connect(tuple(question["slow"]))
            line.sendall(b"G")
        except OSError as error:
            line.close()
            return kind_of(error)
        lines.append(line)
        return "open"

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        outcomes = list(pool.map(begin, range(question["connections"])))
    opened, end = len(lines), time.monotonic() + question["seconds"]
    while lines and time.monotonic() < end:
        for line in list(lines):
            try:
                line.sendall(b"E")
            except OSError:
                lines.remove(line)
                line.close()
        time.sleep(2)
    others = sorted({each for each in outcomes if each != "open"})
    text = f"{opened} opened, {len(lines)} still open after {question['seconds']} s; others: {', '.join(others)}"
    return {"kind": "held", "status": 0, "text": text, "opened": opened, "open": len(lines), "outcomes": others}


def resume(question: Given) -> Given:
    """A TLS session that is begun at one port, and taken on at another one."""
    host, first, second = question["resume"]
    context = context_of({})
    context.maximum_version = getattr(ssl.TLSVersion, question["version"])
    asked = f"GET {question['path']} HTTP/1.1\r\nHost: {question['name']}\r\nConnection: close\r\n\r\n".encode()
    with line_to(host, first) as (line, _), context.wrap_socket(line, server_hostname=question["name"]) as begun:
        begun.sendall(asked)
        if not begun.recv(TEXT):
            raise EOFError("the first port said nothing")
        session = begun.session
    with line_to(host, second) as (line, own):
        taken = context.wrap_socket(line, server_hostname=question["name"], session=session)
        taken.sendall(asked)
        found = taken.recv(TEXT)
        if not found:
            raise EOFError("closed without a word")
        status = int(found.split(b" ")[1])
        text = f"session {'resumed' if taken.session_reused else 'new'}: {found[:80].decode(errors='replace')}"
    return {"kind": "http", "status": status, "text": text, "port": own}


def sealed(question: Given) -> Given:
    """A call that the shop's pod seals as its program does, and then changes, or sends too late."""
    import os  # noqa: PLC0415 - only in a pod of the shop are both there

    from app.sealed_calls import MOMENT, NONCE, SEAL, Question, Seals  # noqa: PLC0415

    method, path, body = question["method"], question["path"], question.get("body", "")
    key, base = question["key"], os.environ["PAYMENTS_URL"]
    seals = Seals(os.environ["PAYMENTS_CALL_KEY"])
    asked = Question(method, path, "", key, body.encode())
    moment, nonce = str(int(time.time()) - question.get("age", 0)), "a" * 32
    headers = {MOMENT: moment, NONCE: nonce, SEAL: seals.of_question(asked, moment, nonce), "idempotency-key": key}
    headers |= {"Content-Type": "application/json"} if body else {}
    changed = {"url": f"{base}{question.get('path_after', path)}", "method": method, "headers": headers}
    return http_answer({**changed, "body": question.get("body_after", body) or None})


def program(question: Given) -> Given:
    """A program's run."""
    done = subprocess.run(
        question["run"], input=question.get("stdin"), capture_output=True, text=True, timeout=60, check=False
    )
    return {"kind": "run", "status": done.returncode, "text": (done.stderr + done.stdout)[:1000]}


ASKED = {
    "url": http_answer, "tcp": tcp, "dns": dns, "scan": scan, "slow": slow, "resume": resume, "sealed": sealed,
    "run": program,
}  # fmt: skip


def answer(question: Given) -> Given:
    asked = next(ask for word, ask in ASKED.items() if word in question)
    try:
        return asked(question)
    except Away as away:
        return {"kind": away.kind, "status": 0, "text": away.text, "port": away.port}
    except Exception as error:  # noqa: BLE001 - a fault of ours is an answer too, and no refusal
        return {"kind": "error", "status": 0, "text": f"{type(error).__name__}: {error}"[:300]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps([answer(each) for each in json.loads(sys.stdin.read())]) + "\n")
