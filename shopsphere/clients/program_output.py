"""What a program in a container prints, piece by piece: a dump is larger than the memory should be."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kubernetes import client
from kubernetes.stream.ws_client import ERROR_CHANNEL

from shopsphere.clients.cluster_errors import ProgramError, from_exec
from shopsphere.clients.conversation import BROKEN, exec_problem, open_program

_START_SECONDS = 15.0
_ERRORS_KEPT = 500


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
