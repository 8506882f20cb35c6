"""Databases of the lab's sites, each asked through a psql in its pod that stays open between questions."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence

from lab.leading import leading_pod
from lab.paths import kubeconfig_path
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import CommandError

PSQL = ("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1")
ANSWER_SECONDS = 30.0
STILL_THERE_SECONDS = 3.0
_CHUNK = 65536


class DatabaseSession:
    """One psql, which reads statements from us and ends at the first error.

    Args:
        command: starts it.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
        )

    def ask(self, statement: str, *, seconds: float = ANSWER_SECONDS) -> str:
        """Run statements as one transaction and return the rows that they select, as tab-separated text.

        Raises:
            CommandError: the server refused one, psql ended, or no answer came in time. The session is of no use then.
        """
        mark = f"end-{uuid.uuid4().hex}"
        assert self._process.stdin
        try:
            self._process.stdin.write(f"begin;\n{statement}\n;commit;\n\\echo {mark}\n".encode())
        except BrokenPipeError as error:
            raise CommandError(f"psql ended before {statement!r}: {self._complaint()}") from error
        return self._until(f"{mark}\n".encode(), statement, seconds).strip()

    def is_there(self) -> bool:
        """Whether pod, server and connection are those of before."""
        try:
            return self.ask("select 1", seconds=STILL_THERE_SECONDS) == "1"
        except CommandError:
            return False

    def end(self) -> None:
        """Take psql away; the server rolls back what it had begun."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _until(self, mark: bytes, statement: str, seconds: float) -> str:
        assert self._process.stdout
        end, heard = SYSTEM_CLOCK.monotonic() + seconds, b""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            while not heard.endswith(mark):
                if not waiting.select(max(0.0, end - SYSTEM_CLOCK.monotonic())):
                    raise CommandError(f"no answer within {seconds:.0f} s to {statement!r}")
                piece = os.read(self._process.stdout.fileno(), _CHUNK)
                if not piece:
                    self._process.wait(seconds)
                    raise CommandError(f"psql refused {statement!r}: {self._complaint()}")
                heard += piece
        return heard.removesuffix(mark).decode()

    def _complaint(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip() or "it said nothing"


def session_in_pod(site: str, database: str) -> DatabaseSession:
    """Open a session in the pod of a site's database that leads.

    Raises:
        CommandError: the site does not answer, or has no such pod.
    """
    try:
        pod = leading_pod(site, database)
    except CommandError:
        raise
    except ShopSphereError as error:
        raise CommandError(str(error)) from error
    program = [str(tools_directory() / "kubectl"), f"--kubeconfig={kubeconfig_path(site)}"]
    return DatabaseSession(
        [*program, "exec", "-i", "-n", f"data-{database}", pod, "-c", "postgres", "--", *PSQL, database]
    )


class Databases:
    """Sessions by site and database; a second one is opened only while the first one is asked.

    Args:
        connect: opens a session at a site to a database.
    """

    def __init__(self, connect: Callable[[str, str], DatabaseSession] = session_in_pod) -> None:
        self._connect = connect
        self._idle: defaultdict[tuple[str, str], list[DatabaseSession]] = defaultdict(list)

    def ask(self, site: str, database: str, statement: str) -> str:
        """Run statements as one transaction and return the rows that they select, as tab-separated text.

        Raises:
            CommandError: the server refused one, or did not answer.
        """
        session = self._idle_session(site, database) or self._connect(site, database)
        try:
            answer = session.ask(statement)
        except CommandError:
            session.end()
            raise
        self._idle[site, database].append(session)
        return answer

    def end(self) -> None:
        """End all sessions."""
        for sessions in self._idle.values():
            while sessions:
                sessions.pop().end()

    def _idle_session(self, site: str, database: str) -> DatabaseSession | None:
        """Return a session that still answers: sites lose their power, and pods are replaced, between questions."""
        idle = self._idle[site, database]
        while idle:
            session = idle.pop()
            if session.is_there():
                return session
            session.end()
        return None
