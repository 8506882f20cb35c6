"""What a program in a container prints: at its end, or piece by piece where it is larger than the memory should be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from kubernetes import client
from kubernetes.stream.ws_client import ERROR_CHANNEL

from shopsphere.clients.cluster_errors import Asker, ProgramError, from_exec
from shopsphere.clients.conversation import BROKEN, exec_problem, open_program

_START_SECONDS = 15.0
_ERRORS_KEPT = 500


Where = tuple[client.Configuration, str, str, str]
"""Settings of a site's API, namespace, pod and container."""


def whole_output(
    where: Where,
    command: list[str],
    *,
    seconds: float,
    extra_seconds: float,
    heard: Callable[[str], object] | None,
    context: str,
    asker: Asker | None,
) -> str:
    """Run a program in a container and return its standard output.

    Args:
        where: it runs.
        command: the program and its arguments.
        seconds: bound on its end after its start, without `extra_seconds`.
        extra_seconds: that it may take beyond that.
        heard: is told each piece of the output as it arrives.
        context: begins messages.
        asker: as whom the API is asked, for errors.

    Raises:
        ClusterError: it could not be started, failed, or did not end in time.
    """
    _settings, namespace, pod, _container = where
    try:
        session = open_program(*where, command, seconds=_START_SECONDS, stdin=False)
        end, output = time.monotonic() + seconds + extra_seconds, ""
        while session.is_open() and (left := end - time.monotonic()) > 0:
            session.update(timeout=left)
            if piece := session.read_stdout(timeout=0):
                output += piece
                if heard:
                    heard(piece)
        errors = session.read_stderr(timeout=0.1) or ""
        if session.is_open():
            problem = f"no end within {seconds + extra_seconds:g} s"
        else:
            problem = exec_problem(session.read_channel(ERROR_CHANNEL))
        session.close()
    except BROKEN as error:
        raise from_exec(f"{context}: exec in {namespace}/{pod}", error, asker) from error
    if problem:
        said = errors.strip() or problem
        raise ProgramError(f"{context}: {command[0]} in {namespace}/{pod}: {said}")
    return str(output)


def output_of(
    settings: client.Configuration, namespace: str, pod: str, container: str, command: list[str], *, seconds: float
) -> Iterator[bytes]:
    """Yield what a program prints, errors too, as it comes; no more of it is in memory than came at once.

    Args:
        settings: of the site's API.
        namespace: of the pod.
        pod: its name.
        container: in it.
        command: the program and its arguments.
        seconds: bound on the whole.

    Raises:
        ClusterError: it could not be started, failed, or did not end in time; what came before it was yielded.
    """
    about = f"exec in {namespace}/{pod}"
    try:
        session = open_program(settings, namespace, pod, container, command, seconds=_START_SECONDS, stdin=False)
        try:
            end, errors, ended = time.monotonic() + seconds, "", ""
            while session.is_open() and (left := end - time.monotonic()) > 0:
                session.update(timeout=left)
                # In this order: each may take in another piece, and the last one forgets all that it returns.
                errors = (errors + (session.read_stderr(timeout=0) or ""))[-_ERRORS_KEPT:]
                ended += session.read_channel(ERROR_CHANNEL, timeout=0) or ""
                if piece := session.read_all():
                    yield piece.encode()
            if session.is_open():
                raise ProgramError(f"{about}: {command[0]} did not end within {seconds:g} s")
            problem = exec_problem(ended)
        finally:
            session.close()
    except BROKEN as error:
        raise from_exec(about, error) from error
    if problem:
        raise ProgramError(f"{about}: {command[0]}: {errors.strip() or problem}")
