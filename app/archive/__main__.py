"""`python -m app.archive`: collects one database's backups.

`python -m app.archive metrics PORT` tells its figures, `python -m app.archive base` asks it for a base backup now.
"""

from __future__ import annotations

import signal
import sys
from threading import Event

from app.archive.bases import WISH
from app.archive.collector import Collector
from app.archive.log import say
from app.archive.serving import serve
from app.archive.settings import SPOOL, CollectorSettings
from app.archive.store import Store
from app.errors import ShopError
from app.metrics_command import own_metrics


def main(arguments: list[str]) -> int:
    """Run one verb; errors that an operator can act on are printed without a traceback."""
    try:
        if arguments[:1] == ["metrics"]:
            sys.stdout.write(own_metrics(int(arguments[1])))
        elif arguments[:1] == ["base"]:
            (SPOOL / WISH).touch()
            sys.stdout.write("asked for a base backup; the collector's log says when it is in the archive\n")
        else:
            collect()
    except ShopError as error:
        sys.stderr.write(f"archive: {error}\n")
        return error.exit_code
    return 0


def collect() -> None:
    """Collect until told to end."""
    settings = CollectorSettings.read()
    settings.prepare()
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    collector = Collector(settings, Store(settings))
    serve(collector.state, settings.port)
    say("collects", database=settings.database, site=settings.site, bucket=settings.bucket)
    collector.run(ended.is_set)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
