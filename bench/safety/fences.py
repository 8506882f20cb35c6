"""Fences that are taken away for the bench's own proofs: what a checker has to find out."""

import subprocess
import sys

from lab.enter import command_inside, run_inside
from lab.host import supervision
from lab.paths import run_directory
from shopsphere.estate.host_rules import FENCE_TABLE

OPEN_DOOR = """
import http.server, sys
class Yes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200), self.send_header("Content-Length", "0"), self.end_headers()
http.server.ThreadingHTTPServer((sys.argv[1], 8405), Yes).serve_forever()
"""
AGENT, DOOR = "site-agent", "site-door"
"""A host's agent, and its door, which would hold the port."""


class Fences:
    """What was taken away of fences and doors, until `restore`."""

    def __init__(self) -> None:
        self._without: set[str] = set()
        self._doors: dict[str, subprocess.Popen[bytes]] = {}

    def remove(self, host: str) -> None:
        """Stop the agent of one host, and take its fence away; every other node of the site keeps its own."""
        self._without.add(host)
        supervision.control(run_directory(host), "stop", AGENT)
        run_inside(host, ["nft", "delete", "table", "inet", FENCE_TABLE], check=False)

    def open_gateway(self, site: str, address: str) -> None:
        """Let a site's gateway be told that writes are open, whatever the site's agent says; fences stay."""
        supervision.control(run_directory(site), "stop", DOOR)
        self._doors[site] = subprocess.Popen(
            command_inside(site, [sys.executable, "-c", OPEN_DOOR, address]), stderr=subprocess.DEVNULL
        )

    def restore(self) -> None:
        """Let agents and doors run again; an agent puts the fence up before anything else."""
        for site, door in list(self._doors.items()):
            run_inside(site, ["pkill", "-KILL", "-f", "ThreadingHTTPServer"], check=False)  # what entered the host too
            door.wait(10)
            supervision.control(run_directory(site), "start", DOOR, check=False)
            del self._doors[site]
        for host in list(self._without):
            supervision.control(run_directory(host), "start", AGENT, check=False)
            self._without.discard(host)


def forget_patience(host: str) -> None:
    """Start a site's agent again, which counts anew how often a copy was let go.

    Runs follow each other within minutes. A copy that is let go so often is waited for after up to 300 s alone.
    """
    supervision.control(run_directory(host), "restart", AGENT)
