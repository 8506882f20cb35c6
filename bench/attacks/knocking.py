"""Runs where the attacker is, with nothing but Python: one JSON list of questions in, one list of answers out.

A question is {"url"} for HTTP, with {"method", "body", "headers", "certificate"} as far as wanted;
{"tcp": [host, port], "send"} for bytes; {"slow": [host, port], "connections", "seconds"} for connections that say a
byte every two seconds. An answer is {"status", "text"}: the HTTP status or 0, and the beginning of what came, or the
error.
"""

import json
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from typing import Any

SECONDS = 6


def http(question: dict[str, Any]) -> dict[str, Any]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if question.get("certificate"):
        context.load_cert_chain(*question["certificate"])
    body = question.get("body")
    request = urllib.request.Request(
        question["url"],
        data=body.encode() if body is not None else None,
        headers=question.get("headers") or {},
        method=question.get("method"),
    )
    handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return {"status": answer.status, "text": answer.read(400).decode(errors="replace")}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "text": error.read(400).decode(errors="replace")}


def tcp(question: dict[str, Any]) -> dict[str, Any]:
    with socket.create_connection(tuple(question["tcp"]), timeout=SECONDS) as line:
        line.settimeout(SECONDS)
        line.sendall(bytes.fromhex(question.get("send", "")))
        return {"status": 0, "text": line.recv(400).decode(errors="replace")}


def slow(question: dict[str, Any]) -> dict[str, Any]:
    lines, end = [], time.monotonic() + question["seconds"]
    for _ in range(question["connections"]):
        line = socket.socket()
        line.settimeout(2)
        try:
            line.connect(tuple(question["slow"]))
            line.sendall(b"G")
        except OSError:
            line.close()
            continue
        lines.append(line)
        if time.monotonic() > end:
            break
    opened = len(lines)
    while lines and time.monotonic() < end:
        for line in list(lines):
            try:
                line.sendall(b"E")
            except OSError:
                lines.remove(line)
        time.sleep(2)
    return {"status": 0, "text": f"{opened} opened, {len(lines)} still open"}


def answer(question: dict[str, Any]) -> dict[str, Any]:
    asked = slow if "slow" in question else tcp if "tcp" in question else http
    try:
        return asked(question)
    except (OSError, ValueError, ssl.SSLError) as error:
        return {"status": 0, "text": f"{type(error).__name__}: {error}"[:300]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps([answer(each) for each in json.loads(sys.stdin.read())]) + "\n")
