"""What a program in a container prints, piece by piece: a dump is larger than the memory should be."""

from __future__ import annotations

import time
from collections.abc import Iterator

from kubernetes import client
from kubernetes.stream.ws_client import ERROR_CHANNEL

from shopsphere.clients.cluster_errors import ProgramError, from_exec
from shopsphere.clients.conversation import BROKEN, exec_problem, open_program

_START_SECONDS = 15.0


def output_of(
    settings: client.Configuration, namespace: str, pod: str, container: str, command: list[str], *, seconds: float
) -> Iterator[bytes]:
    """Yield what a program prints, as it comes.

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
            end = time.monotonic() + seconds
            while session.is_open() and (left := end - time.monotonic()) > 0:
                session.update(timeout=left)
                if piece := session.read_stdout(timeout=0):
                    yield piece.encode()
            if session.is_open():
                raise ProgramError(f"{about}: {command[0]} did not end within {seconds:g} s")
            errors = (session.read_stderr(timeout=0.1) or "").strip()
            problem = exec_problem(session.read_channel(ERROR_CHANNEL))
        finally:
            session.close()
    except BROKEN as error:
        raise from_exec(about, error) from error
    if problem:
        raise ProgramError(f"{about}: {command[0]}: {errors or problem}")
