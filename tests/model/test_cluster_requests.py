"""What a site's API is asked, and what becomes of a program in a container, as it says in the end."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from kubeconfigs import write_kubeconfig

from shopsphere.clients.cluster import Cluster, ClusterUnreachableError, exec_problem, is_conflict

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
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kubeconfig = write_kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")
        yield Cluster(kubeconfig, "frankfurt", seconds=2)
        server.shutdown()


@pytest.mark.parametrize("changes", [{"spec": {"a": 1}}, {"metadata": {"annotations": {"b": "c"}}}])
def test_an_object_is_changed_only_while_it_is_what_was_looked_at(
    cluster: Cluster, changes: dict[str, dict[str, Any]]
) -> None:
    assert cluster.patch("/one", changes) == changes
    kept = cluster.patch("/one", changes, version="7")
    assert kept.pop("metadata")["resourceVersion"] == "7"
    assert kept.get("spec") == changes.get("spec")
    with pytest.raises(ClusterUnreachableError) as refused:
        cluster.patch("/one", changes, version="6")
    assert is_conflict(refused.value)
    assert "resourceVersion" not in changes.get("metadata", {})
