"""More log than orders write, so that something waits while the store does not take it."""

import threading
from typing import Self

from sql_session import SqlError, SqlSession

KIBIBYTES = 1024
_STATEMENT = (
    "select pg_logical_emit_message(false, 'bench', string_agg(md5(random()::text), '')) from generate_series(1, {})"
)
"""Text that cannot be compressed to nothing: 32 bytes for each of so many."""


class LogWriting:
    """Writes so many KiB of log a second into a database, from `with` to its end.

    Args:
        site: that leads.
        database: its name.
        kibibytes: a second; nothing for 0.
    """

    def __init__(self, site: str, database: str, kibibytes: int) -> None:
        self._place, self._kibibytes = (site, database), kibibytes
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="log", daemon=True)
        self.written_kibibytes = 0
        self.problem = ""

    def __enter__(self) -> Self:
        if self._kibibytes:
            self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        if self._kibibytes:
            self._thread.join(60)

    def _go_on(self) -> None:
        statement = _STATEMENT.format(self._kibibytes * KIBIBYTES // 32)
        try:
            with SqlSession.at(*self._place) as session:
                while not self._ended.wait(1):
                    session.ask(statement)
                    self.written_kibibytes += self._kibibytes
        except SqlError as error:
            self.problem = f"the log's writer ended: {error}"
