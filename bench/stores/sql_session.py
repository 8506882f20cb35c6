"""One psql in the pod of a database, asked again and again: to start one takes a second of processor time."""

import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from command import SHOPSPHERE

MARK = "--end-of-answer--"


class SqlError(Exception):
    """The session ended, or a statement failed; with what psql said."""


class SqlSession:
    """Statements in one database, one after the other, until the end of `with`.

    Args:
        words: the command that psql is started by; it reads statements.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 closed in end
        self._process = subprocess.Popen(
            [*words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True
        )

    @classmethod
    def at(cls, site: str, database: str) -> Self:
        """A session as the administrator, in the pod that leads; statements may take as long as they want.

        Raises:
            SqlError: it could not be begun.
        """
        made = cls([SHOPSPHERE, "lab", "psql", site, database, "--", "-XqAt", "-v", "ON_ERROR_STOP=1"])
        try:
            made.ask("set statement_timeout = 0; set idle_session_timeout = 0")
        except SqlError:
            made.end()
            raise
        return made

    def ask(self, statement: str) -> list[str]:
        """Return the lines that a statement gives; it may take as long as it wants.

        Raises:
            SqlError: it failed, or the session has ended.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin
        assert stdout
        try:
            stdin.write(f"{statement};\n\\echo {MARK}\n")
            stdin.flush()
        except OSError as error:
            raise self._ended(statement) from error
        lines: list[str] = []
        for line in stdout:
            if line.rstrip("\n") == MARK:
                return lines
            lines.append(line.rstrip("\n"))
        raise self._ended(statement)

    def end(self) -> None:
        """End it; a statement that runs is broken off."""
        with suppress(OSError):
            assert self._process.stdin
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._said.close()

    def _ended(self, statement: str) -> SqlError:
        self._said.seek(0)
        return SqlError(f"{statement[:80]}...: {self._said.read().strip()[-500:] or 'psql ended'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.end()
