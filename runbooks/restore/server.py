"""PostgreSQL of a restore: laid out, recovered to a time or to the end of what is there, and asked."""

from __future__ import annotations

import os
import pwd
import re
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from runbooks.restore.sealed import PieceError, no_room
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.foundation.process import CommandError, run

BINARIES = Path("/usr/lib/postgresql/15/bin")
"""Where Debian has PostgreSQL of the version that the sites run: another one cannot read its files."""
PORT = 5432
RECOVERY_SECONDS = 24 * 3600
START_SECONDS = 3600
SETTINGS_OF_PRIMARY = {
    "max_connections": "max_connections setting",
    "max_worker_processes": "max_worker_processes setting",
    "max_wal_senders": "max_wal_senders setting",
    "max_prepared_transactions": "max_prepared_xacts setting",
    "max_locks_per_transaction": "max_locks_per_xact setting",
}
"""What a server that follows must have at least as much of, as pg_controldata names it."""
PLACE = """
SELECT CASE
  WHEN pg_get_wal_replay_pause_state() = 'paused' THEN 'there'
  WHEN EXISTS (SELECT FROM pg_stat_activity
               WHERE backend_type = 'startup' AND wait_event = 'RecoveryRetrieveRetryInterval') THEN 'end'
  ELSE 'going' END
"""


def lay_out(folder: Path) -> None:
    """Unpack the base backup and give it settings of its own: none of a site's counts here.

    Raises:
        PieceError: it holds what no base backup of a site does.
    """
    data = folder / "data"
    data.mkdir()
    with tarfile.open(folder / "base.tar") as packed:
        packed.extractall(data, members=_files_of(packed))  # noqa: S202 - Debian's Python 3.11 has no filter; see there
    (folder / "base.tar").unlink()
    # A site's own settings name its peer, and `restore_command = 'false'`; PostgreSQL reads this file last.
    (data / "postgresql.auto.conf").write_text("")
    (data / "standby.signal").touch()
    (folder / "socket").mkdir()
    (folder / "pg_hba.conf").write_text("local all all trust\n")
    (folder / "pg_ident.conf").write_text("")
    for path in (folder, *folder.rglob("*")):
        if os.getuid() == 0:
            os.chown(path, *_server_user())
        path.chmod(0o700 if path.is_dir() else 0o600)


def _files_of(packed: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield what is in a base backup: files and folders below its own one, and nothing that leads out of it.

    Raises:
        PieceError: there is something else, as PostgreSQL packs nothing of our sites.
    """
    for entry in packed:
        path = PurePosixPath(entry.name)
        if not (entry.isreg() or entry.isdir()) or path.is_absolute() or ".." in path.parts:
            raise PieceError(f"the base backup has {entry.name!r}, which is no file or folder below its own")
        yield entry


def start(folder: Path, to: datetime | None, timeline: int) -> None:
    """Start PostgreSQL towards a time. It follows: at the end of what is there it waits, and does not fail.

    Args:
        folder: of the restore.
        to: the time; None to go to the end of what is there.
        timeline: that the WAL files end on.

    Raises:
        ShopSphereError: it does not start.
    """
    told = run([BINARIES / "pg_controldata", folder / "data"], env={"LC_ALL": "C"}).stdout
    settings = {
        "data_directory": folder / "data",
        "hba_file": folder / "pg_hba.conf",
        "ident_file": folder / "pg_ident.conf",
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": folder / "socket",
        "recovery_target_timeline": timeline,
        "restore_command": f'cp "{folder}/wal/%f" "%p"',
        **({"recovery_target_time": to.isoformat(sep=" "), "recovery_target_action": "pause"} if to else {}),
        "shared_buffers": "128MB",
        "default_transaction_read_only": "on",
        **{name: _number(told, words) for name, words in SETTINGS_OF_PRIMARY.items()},
    }
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    file = folder / "postgresql.conf"
    file.write_text("\n".join(lines) + "\n")
    log = folder / "log"
    log.touch()
    for each in (file, log):
        if os.getuid() == 0:
            os.chown(each, *_server_user())
    command = [*as_server(BINARIES / "pg_ctl", folder), "-o", f"-c config_file={file}", "-l", log, "-t"]
    try:
        run([*command, str(START_SECONDS), "-w", "start"], seconds=START_SECONDS + 60, log=folder / "start.log")
    except CommandError as error:
        raise not_recovered(folder) from error


def reached(folder: Path) -> str:
    """Wait until the time, or the end of what is there, is reached; return which: `there` or `end`.

    Raises:
        ShopSphereError: PostgreSQL ended, or did not come there.
    """
    said = "going"

    def is_reached() -> bool:
        nonlocal said
        try:
            said = query(folder, "postgres", PLACE)
        except CommandError as error:
            if run([*as_server(BINARIES / "pg_ctl", folder), "status"], check=False).code:
                raise not_recovered(folder) from error
            raise NoAnswerError("PostgreSQL does not answer yet") from error
        return said != "going"

    wait_until(is_reached, what="the recovery", seconds=RECOVERY_SECONDS)
    return said


def end_recovery(folder: Path, where: str, timeline: int) -> None:
    """End the recovery: what had begun before the time and not ended, as a DROP TABLE, else holds its locks for ever.

    Raises:
        ShopSphereError: PostgreSQL ended.
    """
    if where == "there":
        query(folder, "postgres", "SELECT pg_wal_replay_resume()")
    else:
        # Nothing was written after the time: PostgreSQL ends where it should have stopped at a time and did not.
        run([*as_server(BINARIES / "pg_ctl", folder), "-m", "fast", "-w", "stop"], seconds=START_SECONDS)
        start(folder, None, timeline)
        reached(folder)
        query(folder, "postgres", "SELECT pg_promote(false)")
    wait_until(
        lambda: query(folder, "postgres", "SELECT pg_is_in_recovery()") == "f",
        what="the end of the recovery",
        seconds=START_SECONDS,
    )


def query(folder: Path, database: str, statement: str, *, seconds: float = 600) -> str:
    """Return what a statement gives within `seconds`, in lines with `|` between columns.

    Raises:
        CommandError: it failed.
    """
    command = ["psql", "--no-psqlrc", "-qAt", "-h", str(folder / "socket"), "-p", str(PORT), "-U", "postgres", database]
    return run([*command, "-c", statement], seconds=seconds).stdout.strip()


def not_recovered(folder: Path) -> ShopSphereError:
    """Return what PostgreSQL's log says about its end."""
    lines = (folder / "log").read_text(errors="replace").splitlines()
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line] or lines
    if any("No space left on device" in line for line in fatal):
        return no_room(folder)
    return PieceError.build(
        "PostgreSQL did not recover; the live database was not touched",
        expected="the base backup and its WAL to lead to the time",
        found=fatal[-1] if fatal else "nothing in its log",
        action=f"look at {folder / 'log'}",
    )


def _number(controldata: str, words: str) -> str:
    found = re.search(rf"^{re.escape(words)}:\s+(\d+)$", controldata, re.MULTILINE)
    return found[1] if found else "100"


def as_server(program: Path, folder: Path) -> list[Any]:
    """Return the beginning of a command as a user that PostgreSQL accepts: it refuses to run as root."""
    change = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.getuid() == 0 else []
    return [*change, program, "-D", folder / "data"]


def _server_user() -> tuple[int, int]:
    entry = pwd.getpwnam("postgres")
    return entry.pw_uid, entry.pw_gid
