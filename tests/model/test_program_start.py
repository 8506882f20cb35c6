"""The start of a program in a container is bounded, also where the API server takes the question and says nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from kubernetes import client

from shopsphere.clients import program_input, program_output
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterError, ProgramError
from shopsphere.clients.conversation import Conversation
from shopsphere.clients.postgres import InstanceSession

WHERE = ("data-ledger", "ledger-frankfurt-1", "postgres")
SECONDS = 0.4


@pytest.fixture
def silent() -> Iterator[client.Configuration]:
    """An API server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                pass

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        settings = client.Configuration()
        settings.host = f"http://127.0.0.1:{server.getsockname()[1]}"
        yield settings
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    for each in taken:
        each.close()


def conversation(settings: client.Configuration) -> None:
    Conversation(settings, *WHERE, ["psql"], SECONDS)


def output(settings: client.Configuration) -> None:
    program_output.whole_output(
        (settings, *WHERE), ["psql"], seconds=3, extra_seconds=0, heard=None, context="frankfurt", asker=None
    )


def pieces(settings: client.Configuration) -> None:
    list(program_output.output_of(settings, *WHERE, ["psql"], seconds=3))


def fed(settings: client.Configuration) -> None:
    program_input.feed(settings, WHERE, ["psql"], [b"x"], seconds=3)


@pytest.mark.requirement("a lost node keeps nobody waiting who asks a program on it")
@pytest.mark.parametrize("start", [conversation, output, pieces, fed])
def test_the_start_is_bounded(
    silent: client.Configuration, monkeypatch: pytest.MonkeyPatch, start: Callable[[client.Configuration], None]
) -> None:
    for module in (program_input, program_output):
        monkeypatch.setattr(module, "_START_SECONDS", SECONDS)
    ended: list[BaseException] = []

    def run() -> None:
        with pytest.raises(ClusterError) as error:
            start(silent)
        ended.append(error.value)

    thread = threading.Thread(target=run, daemon=True)
    began = time.monotonic()
    thread.start()
    thread.join(20)
    assert ended, "it waits for ever"
    assert time.monotonic() - began >= SECONDS


@pytest.mark.requirement("a lost node keeps nobody waiting who asks a program on it")
def test_a_start_that_is_slow_for_long_gets_more_time_and_another_pod_begins_anew() -> None:
    asked: list[tuple[str, float]] = []

    class Api:
        context = "frankfurt"

        def converse(self, _namespace: str, pod: str, _container: str, _command: list[str], *, start: float) -> None:
            asked.append((pod, start))
            raise ProgramError("no answer")

    session, api = InstanceSession(), cast("Cluster", Api())
    for pod in ("a", "a", "a", "a", "a", "a", "a", "a", "b"):
        with pytest.raises(ProgramError):
            session.ask(api, "data-ledger", pod)
    assert asked == [("a", 3), ("a", 3), ("a", 3), ("a", 3), ("a", 6), ("a", 12), ("a", 15), ("a", 15), ("b", 3)]
