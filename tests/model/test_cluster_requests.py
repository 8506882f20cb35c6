"""What a site's API is asked, and what becomes of a program in a container, as it says in the end."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from kubeconfigs import write_kubeconfig
from kubernetes.client.exceptions import ApiException
from manual_clock import ManualClock

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import (
    ClusterError,
    ClusterUnreachableError,
    ConflictError,
    ForbiddenError,
    NoAccessError,
    NotFoundError,
    ProgramError,
    RefusedError,
    UnreadableAnswerError,
    from_exec,
)
from shopsphere.clients.conversation import exec_problem
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.foundation.errors import NoAnswerError

CODE = {"reason": "ExitCode", "message": "3"}
RUNTIME = "error executing command in container: failed to exec in container: OCI runtime exec failed"


@pytest.mark.parametrize(
    ("ended", "problem"),
    [
        ({"status": "Success", "metadata": {}}, ""),
        (
            {
                "status": "Failure",
                "reason": "NonZeroExitCode",
                "message": "command terminated with non-zero exit code",
                "details": {"causes": [CODE]},
            },
            "command terminated with non-zero exit code",
        ),
        # A program that could not be started: its cause is no number.
        (
            {
                "status": "Failure",
                "reason": "InternalError",
                "message": RUNTIME,
                "details": {"causes": [{"message": RUNTIME}]},
            },
            RUNTIME,
        ),
        ({"status": "Failure", "message": "container not found (postgres)"}, "container not found (postgres)"),
        ("", "the line broke before its end"),
        ("not JSON", "not JSON"),
        ("null", "null"),
    ],
)
def test_an_end_is_read(ended: str | dict[str, Any], problem: str) -> None:
    assert exec_problem(json.dumps(ended) if isinstance(ended, dict) else ended) == problem


class OneObject(BaseHTTPRequestHandler):
    """An API with one object, of version 7, that answers with what it was told to change."""

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        wanted = json.loads(body).get("metadata", {}).get("resourceVersion", "7")
        self.send_response(200 if wanted == "7" else 409)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: str) -> None:
        pass


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with HTTPServer(("127.0.0.1", 0), OneObject) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        kubeconfig = write_kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")
        yield Cluster(kubeconfig, "frankfurt", seconds=20)
        server.shutdown()


@pytest.mark.parametrize("changes", [{"spec": {"a": 1}}, {"metadata": {"annotations": {"b": "c"}}}])
def test_an_object_is_changed_only_while_it_is_what_was_looked_at(
    cluster: Cluster, changes: dict[str, dict[str, Any]]
) -> None:
    assert cluster.patch("/one", changes) == changes
    kept = cluster.patch("/one", changes, version="7")
    assert kept.pop("metadata")["resourceVersion"] == "7"
    assert kept.get("spec") == changes.get("spec")
    with pytest.raises(ConflictError):
        cluster.patch("/one", changes, version="6")
    assert "resourceVersion" not in changes.get("metadata", {})


class AnyAnswer(BaseHTTPRequestHandler):
    """An API whose path says what is answered: `/404`, or `/text` and `/list` with a good status."""

    asked: ClassVar[list[str]] = []

    def answer(self) -> None:
        self.asked.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        last = self.path.split("?")[0].rpartition("/")[2]
        bodies = {"text": b"<html>log in first</html>", "list": b'{"items": [{"a": 1}]}', "empty": b"{}"}
        body = bodies.get(last, json.dumps({"kind": "Status", "message": f"because of\n{last}"}).encode())
        self.send_response(int(last) if last.isdecimal() else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Cluster]:
    AnyAnswer.asked.clear()
    with HTTPServer(("127.0.0.1", 0), AnyAnswer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        kubeconfig = write_kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")
        yield Cluster(kubeconfig, "frankfurt", seconds=20)
        server.shutdown()


@pytest.mark.requirement("what a cluster answers instead is told apart: no answer may pass, a refusal does not")
@pytest.mark.parametrize(
    ("path", "kind", "may_pass"),
    [
        ("/400", RefusedError, False),
        ("/401", RefusedError, False),
        ("/403", ForbiddenError, False),
        ("/404", NotFoundError, False),
        ("/409", ConflictError, False),
        ("/422", RefusedError, False),
        ("/429", ClusterUnreachableError, True),
        ("/500", ClusterUnreachableError, True),
        ("/503", ClusterUnreachableError, True),
        ("/text", UnreadableAnswerError, True),
    ],
)
def test_answers_are_told_apart(api: Cluster, path: str, kind: type[ClusterError], *, may_pass: bool) -> None:
    with pytest.raises(ClusterError) as found:
        api.get(path)
    assert type(found.value) is kind
    assert isinstance(found.value, NoAnswerError) is may_pass
    assert f"frankfurt: GET {path}" in str(found.value)
    assert path == "/text" or f"{path[1:]} " in str(found.value)
    assert path == "/text" or f"(because of {path[1:]})" in str(found.value), "what the API says, in one line"


@pytest.mark.requirement("a wait goes on over a 403, as of an API that starts, and ends at any other refusal")
def test_a_wait_at_an_api_that_starts(api: Cluster) -> None:
    with pytest.raises(WaitExpiredError, match=r"waited 3 s for the nodes(.|\n)*403"):
        wait_until(lambda: api.get("/403"), what="the nodes", seconds=3, interval=1, clock=ManualClock())
    assert len(AnyAnswer.asked) > 3
    AnyAnswer.asked.clear()
    with pytest.raises(RefusedError):
        wait_until(lambda: api.get("/401"), what="the nodes", seconds=3, interval=1, clock=ManualClock())
    assert len(AnyAnswer.asked) == 1


def test_a_list_is_empty_only_when_it_is_known_to_be(api: Cluster) -> None:
    assert api.items("/list") == api.items_of_known_kind("/list") == [{"a": 1}]
    assert api.items("/404") == []
    with pytest.raises(NotFoundError):
        api.items_of_known_kind("/404")
    with pytest.raises(UnreadableAnswerError):
        api.items("/empty")
    with pytest.raises(RefusedError):
        api.items("/403")


def test_an_object_is_missing_only_when_it_is_known_to_be(api: Cluster) -> None:
    assert api.find("/404") is None
    assert api.find("/list") == api.get("/list")
    with pytest.raises(RefusedError):
        api.find("/403")


def test_what_is_gone_is_deleted_and_what_is_refused_is_not(api: Cluster) -> None:
    api.delete("/404")
    with pytest.raises(RefusedError):
        api.delete("/403")


def test_a_change_of_any_version_is_tried_again_and_not_without_end(
    api: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("shopsphere.clients.cluster.time.sleep", pauses.append)
    changes: tuple[Callable[[], object], ...] = (
        lambda: api.patch("/409", {}),
        lambda: api.apply("/409", {}, manager="test"),
    )
    for change in changes:
        AnyAnswer.asked.clear()
        with pytest.raises(ConflictError):
            change()
        assert len(AnyAnswer.asked) == 3
    assert len(pauses) == 4, "between the tries, and not after the last"
    assert all(0 < pause <= 0.1 for pause in pauses)
    assert len(set(pauses)) > 1, "not at the same moment as whoever was met"
    AnyAnswer.asked.clear()
    with pytest.raises(ConflictError):
        api.patch("/409", {}, version="6")
    assert len(AnyAnswer.asked) == 1, "with a version, the caller decides anew"


def test_an_api_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(ClusterUnreachableError, match="no answer from"):
        Cluster(write_kubeconfig(tmp_path, "http://127.0.0.1:1"), "frankfurt", seconds=2).get("/version")


def test_an_unknown_way_is_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises(NoAccessError, match="no usable kubeconfig") as found:
        Cluster(tmp_path / "none.yaml", "frankfurt")
    assert not isinstance(found.value, NoAnswerError)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Handshake status 403 Forbidden -+-+- {}", ForbiddenError),
        ("Handshake status 401 Unauthorized", RefusedError),
        ("Handshake status 404 Not Found", ProgramError),  # the pod may be made anew at this moment
        ("Handshake status 500 Internal Server Error", ProgramError),
        ("Connection refused", ClusterUnreachableError),
    ],
)
def test_why_a_program_did_not_start(said: str, kind: type[ClusterError]) -> None:
    error = from_exec("frankfurt: exec in shop/pod", ApiException(status=0, reason=said))
    assert type(error) is kind
    assert isinstance(error, NoAnswerError) is (not issubclass(kind, RefusedError))
