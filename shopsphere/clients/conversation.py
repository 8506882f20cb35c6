"""A program in a container that stays, and is asked one thing after the other.

Entering a container costs the site some 50 ms of processor time, more than most answers.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import urllib3
from kubernetes import client, stream
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import ws_client
from websocket import WebSocket, WebSocketException

from shopsphere.clients.cluster_errors import Asker, ProgramError, from_exec
from shopsphere.foundation.errors import one_line

BROKEN = (ApiException, WebSocketException, urllib3.exceptions.HTTPError, OSError)
"""What the client raises when a program in a container cannot be started, or the line to it breaks."""

_LOCAL = threading.local()


class _BoundedWebSocket(WebSocket):
    """A web socket that is opened within the bound of whoever opens it in this thread.

    The client takes no bound for that. An API server that asks the kubelet of a lost node says nothing for 30 s.
    """

    def connect(self, url: str, **options: Any) -> None:
        options.setdefault("timeout", getattr(_LOCAL, "seconds", None))
        super().connect(url, **options)  # type: ignore[no-untyped-call]
        self.settimeout(None)  # the client waits for what comes by itself


ws_client.WebSocket = _BoundedWebSocket  # the name that the client calls


def open_program(
    settings: client.Configuration,
    namespace: str,
    pod: str,
    container: str,
    command: list[str],
    *,
    seconds: float,
    stdin: bool,
) -> Any:
    """Start a program in a container and return the client's session with it; raises one of BROKEN.

    Each session has a client of its own: `stream` replaces a client's request method, so it is used for nothing else.

    Args:
        settings: of the site's API.
        namespace: of the pod.
        pod: its name.
        container: in it.
        command: the program and its arguments.
        seconds: bound on each answer of the API until the program runs.
        stdin: whether the program is asked something.
    """
    api = client.CoreV1Api(client.ApiClient(settings))
    _LOCAL.seconds = seconds
    try:
        return stream.stream(
            api.connect_get_namespaced_pod_exec, pod, namespace, container=container, command=command,
            stdout=True, stderr=True, stdin=stdin, tty=False, _preload_content=False,
        )  # fmt: skip
    finally:
        _LOCAL.seconds = None


def exec_problem(ended: str) -> str:
    """Return what went wrong with a program in a container; empty when nothing did.

    The client's own function takes any message for an exit code, and fails where a program could not be started.

    Args:
        ended: the API's last message about the program, a `Status` in JSON; empty when the line broke before it.
    """
    try:
        status = json.loads(ended)
        return "" if status["status"] == "Success" else one_line(status["message"])
    except (ValueError, KeyError, TypeError):
        return one_line(ended) or "the line broke before its end"


class Conversation:
    """One program in a container; used by one thread.

    Args:
        settings: of the site's API.
        namespace: of the pod.
        pod: its name.
        container: in it.
        command: a program that reads questions from its standard input.
        seconds: bound on each answer.
        asker: as whom the API is asked, for errors.
        start: bound on each answer until the program runs; 0: `seconds`.

    Raises:
        ClusterError: it could not be started.
    """

    def __init__(
        self,
        settings: client.Configuration,
        namespace: str,
        pod: str,
        container: str,
        command: list[str],
        seconds: float,
        asker: Asker | None = None,
        *,
        start: float = 0.0,
    ) -> None:
        self._about, self._seconds = f"exec in {namespace}/{pod}", seconds
        try:
            self._session = open_program(
                settings, namespace, pod, container, command, seconds=start or seconds, stdin=True
            )
        except BROKEN as error:
            raise from_exec(self._about, error, asker) from error

    def ask(self, question: str) -> str:
        """Return the line that the program answers with; after an error only `close` makes sense.

        An answer is one line because the client waits for the socket and not for what TLS has read from it already: a
        second piece that came together with the first is not seen before the next one comes.

        Raises:
            ClusterError: the program has ended, or did not answer in time.
        """
        output, due = "", time.monotonic() + self._seconds
        try:
            self._session.write_stdin(question)
            while not output.endswith("\n"):
                left = due - time.monotonic()
                if left <= 0 or not self._session.is_open():
                    said = (self._session.read_stderr(timeout=0) or output).strip()
                    raise ProgramError(f"{self._about}: no answer within {self._seconds:g} s; it said {said[:200]!r}")
                self._session.update(timeout=left)
                output += self._session.read_stdout(timeout=0) or ""
            self._session.read_all()  # the client would keep all that was ever said
        except BROKEN as error:
            raise from_exec(self._about, error) from error
        return output

    def close(self) -> None:
        """End the program."""
        self._session.close()
