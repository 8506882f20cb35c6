"""What a lab looks like at the moment when a test of it failed, in a folder, within a bound in time and in size."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from lab import record
from lab.cluster.addons import kubectl
from lab.hosts import load_hosts
from lab.paths import control_directory, kubeconfig_path, log_directory
from lab.status import collect
from shopsphere.foundation.bounded import OutOfTimeError, answer_of, start
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run
from shopsphere.topology import load_topology

FOLDER = REPOSITORY / "test-failures"
SECONDS = 60.0
"""For one dump; what is not there by then is left out, and INCOMPLETE.txt says so."""
LINES = 200
"""Of each container's log."""
FILE_BYTES = 100_000
"""The end of what is longer is kept."""
FILES = 400
PER_SESSION = 5
"""Dumps of one run of tests: what fails after that is mostly a consequence."""
_ANSWER_SECONDS = 10.0

Source = Callable[[], Iterator[tuple[str, str]]]
"""Gives names of files with their text, one after the other."""


def write_dump(
    folder: Path, sources: Mapping[str, Source], *, seconds: float = SECONDS, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Write what each source gives, side by side, as long as there is time.

    Args:
        folder: made anew; what a source `name` gives is in its folder `name`.
        sources: by name. One that fails spoils no other one.
        seconds: bound on all of it: no file is begun after that, and what is not answered by then is left out.
        clock: replaceable in tests.
    """
    end = clock.monotonic() + seconds
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    late = time.monotonic() + seconds
    begun = {
        name: start(partial(_write, folder / name, source, end, clock), name=f"dump of {name}")
        for name, source in sources.items()
    }
    missing = [text for name, writing in begun.items() if (text := _ended(name, writing, late - time.monotonic()))]
    if missing:
        (folder / "INCOMPLETE.txt").write_text("\n".join(missing) + "\n")


def _ended(name: str, writing: Future[str], seconds: float) -> str:
    """Return what is missing of a source; one that hangs is left behind, and begins no other file."""
    try:
        return answer_of(writing, what=name, seconds=seconds)
    except OutOfTimeError:
        return f"{name}: the time was out, with no answer to the last question"


def _write(folder: Path, source: Source, end: float, clock: Clock) -> str:
    """Write one source's files; return what is missing, empty when nothing is."""
    folder.mkdir(exist_ok=True)
    count = 0
    try:
        for name, text in source():
            (folder / name).write_bytes(text.encode()[-FILE_BYTES:])
            count += 1
            if clock.monotonic() > end:
                return f"{folder.name}: the time was out after {count} files"
            if count == FILES:
                return f"{folder.name}: more than {FILES} files"
    except Exception as error:  # noqa: BLE001 a dump never hides the failure that it is for
        return f"{folder.name}: {error}"
    return ""


def end_of(file: Path) -> str:
    """Return the last FILE_BYTES of a file, without reading what is before them."""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - FILE_BYTES))
        return opened.read(FILE_BYTES).decode(errors="replace")


def folder_of(test: str, base: Path = FOLDER) -> Path:
    """Return the folder for a test by its name in pytest."""
    return base / re.sub(r"[^\w.=-]+", "_", test)[-100:].strip("_")


def lab_sources() -> dict[str, Source]:
    """Return a source for each cluster of the lab, for the logs of its hosts, and for what its commands say."""
    topology = load_topology(environment="lab")
    hosts = load_hosts(topology)
    sites = [site for site in topology.sites if kubeconfig_path(site).exists()]

    def said() -> Iterator[tuple[str, str]]:
        yield "lab-status.json", json.dumps(collect(hosts), indent=2)
        for region in record.regions():  # roles, the witness, replication and names
            command: list[str | Path] = [REPOSITORY / ".venv/bin/shopsphere", "status", region, "--json"]
            done = run(command, check=False, seconds=2 * _ANSWER_SECONDS, cwd=REPOSITORY)
            yield f"status-{region}.json", done.stdout or done.stderr

    def logs() -> Iterator[tuple[str, str]]:
        """Agents, witness, and every other program of the hosts."""
        for name, directory in [
            ("control", control_directory()),
            *((each, log_directory(each)) for each in hosts.hosts),
        ]:
            for file in sorted(directory.glob("*.log")):
                yield f"{name}-{file.name}", end_of(file)

    return {"said": said, "logs": logs, **{f"site-{site}": _cluster(site) for site in sites}}


def _cluster(site: str) -> Source:
    def source() -> Iterator[tuple[str, str]]:
        def ask(*words: str, check: bool = True) -> str:
            bound = "--request-timeout=5s"
            return kubectl(site, *words, bound, check=check, seconds=_ANSWER_SECONDS)

        yield "pods.txt", ask("get", "namespaces,nodes,pods,persistentvolumeclaims", "-A", "-o", "wide")
        yield "events.txt", ask("get", "events", "-A", "--sort-by=.metadata.creationTimestamp")
        yield "databases.yaml", ask("get", "clusters.postgresql.cnpg.io", "-A", "-o", "yaml", check=False)
        shown = 'jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name}{"\\n"}{end}'
        for line in ask("get", "pods", "-A", "-o", shown).splitlines():
            namespace, pod = line.split()
            words = ("logs", "-n", namespace, pod, "--all-containers", "--prefix", "--timestamps")
            bounds = (f"--tail={LINES}", f"--limit-bytes={FILE_BYTES}")
            yield f"{namespace}-{pod}.log", ask(*words, *bounds, check=False)

    return source
