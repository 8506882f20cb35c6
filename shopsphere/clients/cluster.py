"""A Kubernetes API, as plain JSON documents within a bounded time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
from kubernetes import client, config, stream
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream.ws_client import ERROR_CHANNEL
from websocket import WebSocketException

from shopsphere.foundation.errors import NoAnswerError, one_line

Document = dict[str, Any]
APPLY_PATCH = "application/apply-patch+yaml"  # JSON is YAML
MERGE_PATCH = "application/merge-patch+json"
PART_OF = "app.kubernetes.io/part-of=shopsphere"
_LOADING = threading.Lock()
"""The client writes certificates into files that it shares by content, and names a file before it has filled it."""


class ClusterUnreachableError(NoAnswerError):
    """The API does not answer, or refuses."""


class Cluster:
    """One site's API server.

    Args:
        kubeconfig: file with the credentials.
        context: context in it.
        seconds: bound on each request; a dead site is noticed within it.
    """

    def __init__(self, kubeconfig: Path, context: str, *, seconds: float = 3) -> None:
        self.context = context
        self._seconds = seconds
        self._settings = client.Configuration()
        try:
            with _LOADING:
                config.load_kube_config(str(kubeconfig), context, self._settings, persist_config=False)
        except (ConfigException, OSError) as error:
            raise ClusterUnreachableError(
                f"{context}: no usable kubeconfig\n  expected: context {context!r} in {kubeconfig}\n"
                f"  found:    {error}\n"
                "  do:       start the site, or correct shopsphere:kubeconfig in its stack configuration"
            ) from error
        # The caller has a bound of its own; retries would multiply the time a dead site takes.
        self._settings.retries = False
        # One for all requests: it keeps its connections, and a handshake costs both sides more than most requests.
        self._api = client.ApiClient(self._settings)

    def get(self, path: str, **query: str) -> Document:
        """Return the document at an API path, as in `/api/v1/nodes`.

        Raises:
            ClusterUnreachableError: no answer in time, or a refusal.
        """
        return self._request("GET", f"{path}?{urlencode(query)}" if query else path)

    def patch(self, path: str, changes: Document, *, version: str = "") -> Document:
        """Apply a JSON merge patch (None removes a key) in one request and return the object that results.

        Args:
            path: of the object.
            changes: what is to differ.
            version: the resource version that was looked at; empty: whichever the object is now.

        Raises:
            ClusterUnreachableError: no answer in time, or a refusal; `is_conflict` when it is another version.
        """
        if version:
            changes = {**changes, "metadata": {**changes.get("metadata", {}), "resourceVersion": version}}
        return self._request("PATCH", path, changes)

    def apply(self, path: str, document: Document, *, manager: str) -> Document:
        """Make an object be what `document` says, on behalf of a field manager, whether it exists or not.

        Raises:
            ClusterUnreachableError: no answer in time, or a refusal.
        """
        query = urlencode({"fieldManager": manager, "force": "true"})
        return self._request("PATCH", f"{path}?{query}", document, kind=APPLY_PATCH)

    def delete(self, path: str) -> None:
        """Delete an object after what belongs to it; one that is gone already is fine.

        Raises:
            ClusterUnreachableError: no answer in time, or a refusal.
        """
        try:
            self._request("DELETE", path, {"propagationPolicy": "Foreground"}, kind="application/json")
        except ClusterUnreachableError as error:
            if not is_absent(error):
                raise

    def _request(self, method: str, path: str, body: Document | None = None, *, kind: str = MERGE_PATCH) -> Document:
        try:
            document = self._api.call_api(
                path,
                method,
                header_params={"Content-Type": kind} if body is not None else {},
                body=body,
                auth_settings=["BearerToken"],
                response_type="object",
                _return_http_data_only=True,
                _request_timeout=(self._seconds, self._seconds),
            )
        except ApiException as error:
            raise ClusterUnreachableError(f"{self.context}: {method} {path}: {error.status} {error.reason}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachableError(
                f"{self.context}: no answer from {self._settings.host}: {_reason(error)}"
            ) from error
        found: Document = document
        return found

    def items(self, path: str, **query: str) -> list[Document]:
        """Return the entries of a list; of a kind that the cluster does not know, none.

        Raises:
            ClusterUnreachableError: no answer in time, or a refusal.
        """
        try:
            found: list[Document] = self.get(path, **query)["items"]
        except ClusterUnreachableError as error:
            if is_absent(error):
                return []
            raise
        return found

    def execute(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: list[str],
        *,
        waits: float = 0,
        heard: Callable[[str], object] | None = None,
    ) -> str:
        """Run a program in a container and return its standard output.

        Args:
            namespace: of the pod.
            pod: its name.
            container: in it.
            command: the program and its arguments.
            waits: seconds that the program may wait for something, on top of the bound of a request.
            heard: is told each piece of the output as it arrives.

        Raises:
            ClusterUnreachableError: it could not be started or did not answer in time.
        """
        # `stream` replaces the client's request method, so this client is used for nothing else.
        api = client.CoreV1Api(client.ApiClient(self._settings))
        try:
            session = stream.stream(
                api.connect_get_namespaced_pod_exec, pod, namespace, container=container, command=command,
                stdout=True, stderr=True, stdin=False, tty=False, _preload_content=False,
                _request_timeout=self._seconds,
            )  # fmt: skip
            end, output = time.monotonic() + self._seconds + waits, ""
            while session.is_open() and (left := end - time.monotonic()) > 0:
                session.update(timeout=left)
                if piece := session.read_stdout(timeout=0):
                    output += piece
                    if heard:
                        heard(piece)
            errors = session.read_stderr(timeout=0.1) or ""
            if session.is_open():
                problem = f"no end within {self._seconds + waits:g} s"
            else:
                problem = exec_problem(session.read_channel(ERROR_CHANNEL))
            session.close()
        except (ApiException, WebSocketException, urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterUnreachableError(f"{self.context}: exec in {namespace}/{pod}: {_reason(error)}") from error
        if problem:
            said = errors.strip() or problem
            raise ClusterUnreachableError(f"{self.context}: {command[0]} in {namespace}/{pod}: {said}")
        return str(output)


def exec_problem(ended: str) -> str:
    """Return what went wrong with a program in a container; empty when nothing did.

    The client's own reading takes whatever it finds for an exit code, and fails where a program could not be started.

    Args:
        ended: the last that the API said of it, a `Status` in JSON; empty when the line broke before.
    """
    try:
        status = json.loads(ended)
        return "" if status["status"] == "Success" else one_line(status["message"])
    except (ValueError, KeyError, TypeError):
        return one_line(ended) or "the line broke before its end"


def place_of(document: Document) -> str:
    """Return `namespace/name` of an object."""
    return f"{document['metadata']['namespace']}/{document['metadata']['name']}"


def is_absent(error: ClusterUnreachableError) -> bool:
    """Whether the API answered that there is no such object or kind."""
    return _is_refusal(error, HTTPStatus.NOT_FOUND)


def is_conflict(error: ClusterUnreachableError) -> bool:
    """Whether the API answered that the object is not the version any more that was to be changed."""
    return _is_refusal(error, HTTPStatus.CONFLICT)


def _is_refusal(error: ClusterUnreachableError, status: HTTPStatus) -> bool:
    return isinstance(error.__cause__, ApiException) and error.__cause__.status == status


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    lines = str(reason).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
