"""`shopsphere report`: one comment, and one issue, on a GitHub that is played here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.main import run
from cli.reporting import drifted, previews
from shopsphere.clients.github import LARGEST_BODY, GitHub, marked
from shopsphere.foundation.errors import UsageError

FINDING = {
    "severity": "critical", "site": "dublin", "object": "NetworkPolicy shop/to-dns", "field": "spec.egress[1]",
    "kind": "added", "repair": "shopsphere up dublin", "declared": "SECRET-DECLARED", "live": "SECRET-LIVE",
}  # fmt: skip
DRIFTED = {"verdict": "drifted", "findings": [FINDING], "unseen": []}
CLEAN = {"verdict": "clean", "findings": [], "unseen": []}


class Played(ThreadingHTTPServer):
    """GitHub's issues and comments of one repository."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.entries: dict[str, list[dict[str, Any]]] = {"issues": [], "comments": []}
        self.asked: list[str] = []

    @property
    def issues(self) -> list[dict[str, Any]]:
        return self.entries["issues"]

    @property
    def comments(self) -> list[dict[str, Any]]:
        return self.entries["comments"]

    def add(self, kind: str, body: str, user: str = "Bot", **more: Any) -> None:
        number = len(self.entries[kind]) + 1
        entry = {"id": number, "number": number, "body": body, "user": {"type": user}, "state": "open", **more}
        self.entries[kind].append(entry)


class Handler(BaseHTTPRequestHandler):
    server: Played

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        words = parts.path.removeprefix("/repos/acme/shop/").split("/")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        assert self.headers["Authorization"] == "Bearer token-of-the-run"
        self.server.asked.append(f"{self.command} {parts.path}")
        kind = "comments" if "comments" in words else "issues"
        entries = self.server.entries[kind]
        if self.command == "GET":
            query = {key: value[0] for key, value in parse_qs(parts.query).items()}
            size, at = int(query["per_page"]), int(query["page"])
            found = [each for each in entries if kind == "comments" or query["labels"] in each.get("labels", [])]
            self._send(found[size * (at - 1) : size * at])
        elif self.command == "POST":
            self.server.add(kind, **body)
            self._send(entries[-1])
        elif self.command == "DELETE":
            entries[:] = [each for each in entries if each["id"] != int(words[-1])]
            self._send(None)
        else:
            (entry,) = [each for each in entries if each["id"] == int(words[-1])]
            entry.update(body)
            self._send(entry)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 names of the base class

    def _send(self, document: Any) -> None:
        content = b"" if document is None else json.dumps(document).encode()
        self.send_response(204 if document is None else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    server = Played()
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/shop")
    monkeypatch.setenv("GITHUB_TOKEN", "token-of-the-run")
    yield server
    server.shutdown()
    server.server_close()


def told(tmp_path: Path, found: object) -> int:
    file = tmp_path / "drift.json"
    file.write_text(found if isinstance(found, str) else json.dumps(found))
    return run(["report", "drift", "rdc-a", str(file), "--run", "https://github.example/run"])


@pytest.mark.requirement("drift has one long-lived report: opened, updated, closed, opened again")
def test_one_issue_is_opened_updated_closed_and_opened_again(github: Played, tmp_path: Path) -> None:
    assert told(tmp_path, CLEAN) == 0
    assert github.issues == [], "nothing is opened to say that all is well"
    for found, state in ((DRIFTED, "open"), (DRIFTED, "open"), (CLEAN, "closed"), (CLEAN, "closed"), (DRIFTED, "open")):
        assert told(tmp_path, found) == 0
        (issue,) = github.issues
        assert issue["state"] == state
        assert issue["title"] == "Drift: rdc-a of lab"
        assert f"**{found['verdict']}**" in issue["body"]


@pytest.mark.requirement("what is not known never closes a report")
@pytest.mark.parametrize("found", ["", "no JSON", "[]", {"verdict": "unknown"}, {}])
def test_what_cannot_be_read_keeps_the_issue_open(github: Played, tmp_path: Path, found: object) -> None:
    told(tmp_path, DRIFTED)
    assert told(tmp_path, found) == 0
    assert [(each["state"], "**unknown**" in each["body"]) for each in github.issues] == [("open", True)]


@pytest.mark.requirement("no value leaves a jurisdiction with a report")
def test_a_report_has_no_values(github: Played, tmp_path: Path) -> None:
    told(tmp_path, DRIFTED)
    body = github.issues[0]["body"]
    assert "SECRET" not in body
    assert "`NetworkPolicy shop/to-dns` | `spec.egress[1]` | `added` | `shopsphere up dublin`" in body


def test_what_a_cluster_calls_its_objects_is_no_markdown() -> None:
    body = drifted({**DRIFTED, "findings": [{**FINDING, "object": "a`|[x](http://y)\n@all"}]}, "javascript:alert(1)")
    assert "`a'/[x](http://y) @all`" in body
    assert "javascript" not in body


@pytest.mark.requirement("a pull request has one comment, written anew")
def test_one_comment_is_written_anew(github: Played, tmp_path: Path) -> None:
    file = tmp_path / "rdc-a.txt"
    for text in ("lab-dublin: no change", "lab-dublin: 1 of 3 resources to change"):
        file.write_text(text)
        assert run(["report", "preview", str(file), str(tmp_path / "hq.txt"), "--pull-request", "7"]) == 0
        (comment,) = github.comments
        assert text in comment["body"]
        assert "**hq**" in comment["body"]
        assert "there is no preview" in comment["body"]


def test_a_persons_comment_with_our_mark_is_left_alone(github: Played) -> None:
    theirs = marked("preview", "of a person")
    github.add("comments", theirs, user="User")
    for number in range(150):
        github.add("comments", f"talk {number}", user="User")
    for _ in range(2):
        GitHub.of(os.environ).comment(7, "preview", "ours")
    assert github.comments[0]["body"] == theirs
    assert [each["body"] for each in github.comments[151:]] == [marked("preview", "ours")]


def test_two_first_comments_become_one(github: Played, tmp_path: Path) -> None:
    for _ in range(2):
        github.add("comments", marked("preview", "first"))
    run(["report", "preview", str(tmp_path / "hq.txt"), "--pull-request", "7"])
    assert [each["id"] for each in github.comments] == [1]


def test_a_preview_cannot_end_its_fence_or_fill_the_comment(tmp_path: Path) -> None:
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    files[0].write_text("```\n# not a heading\n````\n")
    files[1].write_text("x" * 10 * LARGEST_BODY)
    body = previews(files, "")
    assert "\n`````text\n```" in body
    assert len(body) <= LARGEST_BODY
    assert "cut here" in body


def test_a_run_without_a_token_is_told_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"GITHUB_TOKEN not set(?s:.*)docs/ci\.md"):
        GitHub.of({"GITHUB_REPOSITORY": "acme/shop"})
