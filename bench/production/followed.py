"""Does what an act of the table says, and says what came of it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Protocol

from filled_in import fill_in
from page_blocks import Page
from page_table import ALL, Act, Table
from systemd_hosts import Host, Hosts, Said

_PRELUDE = 'shopsphere() { /opt/shopsphere/.venv/bin/shopsphere "$@"; }\nset -e -o pipefail\n'
_STEP = re.compile(r"  \d+\. (.+)")
_LISTED = re.compile(r"(\d{4})\s+(\S+:\S+)\s+(/\S+)\s+(.+)")
_SHOWN_LINES = 25
_SECONDS = 1800
"""Of a command at most: `up` waits for databases and their copies."""


class Say(Protocol):
    """Prints a text; a longer one of the same may be kept on record."""

    def __call__(self, text: str, whole: str = "") -> None: ...


@dataclass
class Follower:
    """Follows the page at hosts.

    Attributes:
        hosts: where.
        table: how.
        page: what.
        say: prints the first text, and keeps the second, if there is one, on record.
        printed: lines that `install-files` printed for each folder, by the host where it ran.
        failures: what did not come out as the page says.
        commands: how many were run.
    """

    hosts: Hosts
    table: Table
    page: Page
    say: Say
    printed: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    commands: int = 0

    def follow(self, act: Act) -> None:
        """Do one act."""
        self.say(f"\n== step {act.title}")
        if act.because:
            self.say(f"   not as written, because {act.because}")
        if act.skip:
            self.say(f"   SKIPPED: {act.skip}")
            return
        for name in self.hosts.running if act.at == (ALL,) else act.at:
            host = self.hosts.restart(name) if act.restart else self.hosts.running[name]
            if act.restart:
                self.say(f"   {name} lost its power, and has it back")
            if act.fill:
                self._result(act, host, "fill in owners.yaml", fill_in(host, self.hosts.shared))
            elif act.follow:
                self._printed_steps(act, host)
            elif act.bring:
                self._bring(act, host, None)
            else:
                for script in self.table.scripts(act, self.page):
                    self._run(act, host, script)

    def _run(self, act: Act, host: Host, script: str) -> None:
        said = host.run(_PRELUDE + script, folder=act.folder, seconds=_SECONDS)
        if act.keep:
            (self.hosts.shared / act.keep).write_text(said.text)
        for folder, lines in printed_for(said.text).items():
            self.printed[host.name, folder] = lines
        self._result(act, host, script, said)

    def _result(self, act: Act, host: Host, script: str, said: Said) -> None:
        """Tell what came of a command, and whether the page says that it does."""
        self.commands += 1
        self.say("\n".join(f"{host.name}# {line}" for line in script.strip().splitlines()))
        lines = said.text.rstrip().splitlines()
        cut = [f"... {len(lines) - _SHOWN_LINES} lines before", *lines[-_SHOWN_LINES:]]
        shown, whole = ("\n".join(f"    {line}" for line in each) for each in (cut, lines))
        self.say(shown if len(lines) > _SHOWN_LINES else whole, whole)
        wrong = not_as_said(act, said)
        self.say(f"   {'FAILED: ' + ', '.join(wrong) if wrong else 'ok'} ({said.seconds:.1f} s)")
        if wrong:
            self.failures.append(f"{act.title} at {host.name}: {', '.join(wrong)}")

    def _printed_steps(self, act: Act, host: Host) -> None:
        """Follow the steps that `install-files` printed for a host."""
        source = self.hosts.running[act.written_at]
        lines = self.printed.get((act.written_at, act.follow))
        if not lines:
            self.failures.append(f"{act.title}: `install-files` printed nothing for {act.follow}")
            return
        for line in lines:
            begins = next((each for each in self.table.printed if line.startswith(each)), None)
            doing = self.table.printed[begins] if begins else ""
            match doing:
                case "copy":
                    self._copy_tree(act, source, host, line)
                case "bring":
                    self._bring(act, host, source)
                    self._run(act, host, "systemd-tmpfiles --create")
                    self._compare_modes(act, host, source)
                case "run":
                    self._run(act, host, line.rpartition(": ")[2])
                case "enable":
                    left = [each for each in act.enable if each not in line.split()]
                    if left:
                        self.failures.append(f"{act.title}: {', '.join(left)} is not among what is to be enabled")
                    self._run(act, host, f"systemctl enable --now {' '.join(act.enable)}")
                case "owner" | "skip":
                    self.say(f"   not done here: {line}")
                case _:
                    self.failures.append(f"{act.title}: nobody knows what to do about {line!r}")

    def _copy_tree(self, act: Act, source: Host, host: Host, line: str) -> None:
        """In place of rsync over SSH, which this machine does not have: the same files with the same modes."""
        tree = line.split("--chown=root:root ")[1].split()[0]
        self.say(f"{source.name}# {line.split(': ', 1)[1]}   (by tar: no rsync and no SSH here)")
        packed = source.run(f"tar -C {tree} -cf /srv/shared/tree.tar .")
        said = host.run(
            "umask 022; tar -C / --no-same-owner --no-same-permissions --no-overwrite-dir -xvf /srv/shared/tree.tar"
        )
        self._result(act, host, "(received)", said if packed.code == 0 else packed)

    def _bring(self, act: Act, host: Host, lists: Host | None) -> None:
        """Bring files from where the table says that they are: what is listed for the host, or by name."""
        folders = act.bring or {}
        if lists is None:
            for folder, place in folders.items():
                source, _, path = place.partition(":")
                names = self.hosts.running[source].run(f"ls {path}").text.split()
                for name in (each for each in names if any(fnmatch(each, wanted) for wanted in act.copy)):
                    self._carry(source, f"{path}/{name}", host, f"{folder}/{name}")
            return
        for _, _, path, origin in self._listed(act, lists):
            listed_at = folders.get(path) or folders.get(str(PurePosixPath(path).parent))
            if listed_at is None:
                self.say(f"   not brought: {path} ({origin})")
                continue
            source, _, found = listed_at.partition(":")
            self._carry(source, found if path in folders else f"{found}/{PurePosixPath(path).name}", host, path)

    def _carry(self, source: str, path: str, host: Host, into: str) -> None:
        self.say(f"   {source}:{path} -> {host.name}:{into}")
        mode = self.hosts.running[source].run(f"stat -c %a {shlex.quote(path)}").text.strip()
        host.write(into, self.hosts.running[source].read(path), mode)

    def _listed(self, act: Act, lists: Host) -> list[tuple[str, ...]]:
        text = lists.read(f"/root/hosts/{act.follow}/must-be-there.txt").decode()
        return [found.groups() for line in text.splitlines() if (found := _LISTED.fullmatch(line))]

    def _compare_modes(self, act: Act, host: Host, lists: Host) -> None:
        """Compare owners and modes on the host with those that the list promises."""
        differing = []
        for mode, owner, path, _ in self._listed(act, lists):
            said = host.run(f"stat -c '0%a %U:%G' {shlex.quote(path)}")
            if said.code == 0 and said.text.strip() != f"{mode} {owner}":
                differing.append(f"{path} is {said.text.strip()}, and should be {mode} {owner}")
        self.say("   owners and modes are as listed" if not differing else "   FAILED: " + "; ".join(differing))
        self.failures += differing


def not_as_said(act: Act, said: Said) -> list[str]:
    """Return what of a command's end is not as the table says."""
    wrong = []
    if said.code != act.ends if act.ends else (said.code != 0) != act.refused:
        wrong.append(f"ended with {said.code}")
    if act.expect and act.expect not in said.text:
        wrong.append(f"did not print {act.expect!r}")
    return wrong


def printed_for(text: str) -> Mapping[str, list[str]]:
    """Return the steps that `install-files` printed, by the name of the host's folder."""
    found: dict[str, list[str]] = {}
    steps: list[str] = []
    for line in text.splitlines():
        if line.endswith(": next, at this host"):
            steps = found.setdefault(line.partition(":")[0], [])
        elif step := _STEP.fullmatch(line):
            steps.append(step[1])
    return found
