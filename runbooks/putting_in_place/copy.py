"""The copy that `restore --beside` made in a folder of this machine, and what it holds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from runbooks.restore.beside import FACTS
from runbooks.restore.server import BINARIES, PORT, query
from shopsphere.estate.kept_databases import restored_name
from shopsphere.foundation.errors import ShopSphereError, UsageError, one_line
from shopsphere.foundation.process import CommandError

_PIECE = 2**18
_ERRORS_KEPT = 500


@dataclass(frozen=True)
class Copy:
    """A restored database, served beside the live one.

    Attributes:
        folder: that it is in.
        database: its name.
        system: PostgreSQL's identifier of the server that it is a copy of.
        id: which no other copy has.
        to: the time that it was brought to (UTC); where all there was was taken, that of its last transaction.
    """

    folder: Path
    database: str
    system: str
    id: str
    to: datetime

    @classmethod
    def of(cls, folder: Path, database: str) -> Copy:
        """Return the copy in a folder.

        Raises:
            UsageError: there is none, or one of another database.
        """
        file = folder / FACTS
        try:
            facts = json.loads(file.read_text())
            last = None if facts["last_transaction"] == "none" else facts["last_transaction"]
            to = datetime.fromisoformat(str(facts["to"] or last))
            copy = cls(folder, facts["database"], facts["system"], facts["id"], to)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError.build(
                f"{folder} holds no restored database",
                expected=f"what `shopsphere restore --beside` made, with the file {FACTS}",
                found=f"{type(error).__name__}: {error}",
                action="restore it beside first (docs/backups.md), and name that folder",
            ) from error
        if copy.database != database:
            raise UsageError.build(
                f"{folder} holds another database", expected=database, found=copy.database, action="name the right one"
            )
        return copy

    @property
    def name(self) -> str:
        """Name that it is loaded under."""
        return restored_name(self.database, self.to)

    @property
    def moment(self) -> str:
        """The time that it was brought to, as people and SQL read it."""
        return self.to.astimezone(UTC).isoformat(sep=" ")

    def ask(self, question: str, *, seconds: float = 60) -> Any:
        """Return the JSON value that a statement selects.

        Raises:
            ShopSphereError: PostgreSQL in the folder does not answer.
        """
        try:
            return json.loads(query(self.folder, self.database, question, seconds=seconds))
        except (CommandError, ValueError) as error:
            raise ShopSphereError.build(
                f"the copy in {self.folder} does not answer",
                expected=f"PostgreSQL in that folder, as `restore --beside` left it, with the database {self.database}",
                found=one_line(str(error).rpartition(": exit code ")[2])[:300],
                action=f"look at {self.folder / 'log'}; after a restart of this machine, restore it beside again",
            ) from error

    def dump(self) -> Iterator[bytes]:
        """Yield all of it as SQL.

        Raises:
            ShopSphereError: pg_dump failed.
        """
        place = ("-h", self.folder / "socket", "-p", PORT, "-U", "postgres")
        words = [BINARIES / "pg_dump", *place, "--no-publications", "--no-subscriptions", self.database]
        with TemporaryFile() as errors:
            program = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=errors)
            try:
                if program.stdout:
                    while piece := program.stdout.read1(_PIECE):  # type: ignore[attr-defined]
                        yield piece
                code = program.wait()
            finally:
                program.kill()
                program.wait()
            errors.seek(0)
            if code:
                raise ShopSphereError.build(
                    f"{self.database} in {self.folder} could not be read",
                    expected="pg_dump to end well",
                    found=errors.read()[-_ERRORS_KEPT:].decode(errors="replace").strip() or f"code {code}",
                    action=f"look at {self.folder / 'log'} and at its disk; then call the same command again",
                )
