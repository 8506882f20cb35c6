"""librdkafka's own broker in a process: prints its address, and is there until it is ended."""

from __future__ import annotations

import signal
import sys

from mock_broker import mock_broker

if __name__ == "__main__":
    with mock_broker() as address:
        print(address, flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
    sys.exit(0)
