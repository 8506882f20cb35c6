"""A stranger tries every door of a pair: `python bench/attacks --pair rdc-a`.

Needs the lab with the pair and one other pair deployed. The stranger is a customer's host, a pod of the shop and root
at a site, all of another jurisdiction; root at that site has the keys of his own pair's witness. Each attempt has to be
refused; meanwhile the active site's door stays open for writes, and afterwards the witness's record, the databases'
contents and what drift compares are what they were.

One line per attempt goes to bench/results/attacks.jsonl: what came back, and which logs name the attacker. Those of the
host that he is root at do not count; the one of what a host refused counts where he is a pod of it. Attempts that no
log names are counted at the end.
That each thing answers whom it should is seen before and after: the witness is read, `drift` asks the clusters, agents,
name servers and CDN. Ends with code 1 when something was let in or was changed.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from attempts import CLIENT, HOST, POD, Attempt, Question, all_attempts

from lab.cluster.addons import kubectl
from lab.enter import run_inside
from lab.host_firewall import LOG
from lab.hosts import load_hosts
from lab.leading import leading_pod
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import REPOSITORY, lab_directory
from shopsphere.foundation.process import run
from shopsphere.topology import Pair, Topology, load_topology
from shopsphere.witness.access import witness_of

RESULTS = Path(__file__).resolve().parent.parent / "results" / "attacks.jsonl"
KNOCKING = Path(__file__).resolve().with_name("knocking.py")
SECONDS = 400
COUNTS = {
    ("data-commerce", "commerce"): 'SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM orders."order"',
    ("data-ledger", "ledger"): "SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM payments.payment",
}


class DoorsWatched:
    """Looks at a pair's agents from the operators' machine twice a second, and keeps what was not as it should be."""

    def __init__(self, pair: Pair, topology: Topology) -> None:
        self.problems: list[str] = []
        self.looks = 0
        self._ends = threading.Event()
        self._doors = {site: f"http://{topology.site(site).address}:{SITE_AGENT_PORT}/state" for site in pair.sites}
        self._active = pair.primary
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ends.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._ends.wait(0.5):
            for site, url in self._doors.items():
                now = datetime.now(UTC).isoformat(timespec="seconds")
                try:
                    with self._opener.open(url, timeout=5) as answer:
                        state = json.load(answer)
                except OSError as error:
                    self.problems.append(f"{now} {site}'s agent says nothing: {error}")
                    continue
                if state["writes"] is not (site == self._active):
                    self.problems.append(f"{now} {site}: writes {state['writes']}: {state['because']}")
            self.looks += 1


def state(pair: Pair, command: list[str]) -> dict[str, Any]:
    """What has to be the same afterwards."""
    witness = witness_of(pair.name, Environment.LAB)
    seen = witness.see()
    found: dict[str, Any] = {"record": seen.record.model_dump(mode="json") if seen.record else None}
    witness.close()
    for (namespace, cluster), statement in COUNTS.items():
        pod = leading_pod(pair.primary, cluster)
        words = ["exec", "-n", namespace, pod, "-c", "postgres", "--", "psql", "-tA"]
        database = "commerce" if cluster == "commerce" else "ledger"
        found[cluster] = kubectl(pair.primary, *words, "-c", statement, database).strip()
    for stack in (pair.name, "edge"):
        done = run([*command, "drift", stack], check=False, seconds=300)
        found[f"drift {stack}"] = (done.code, done.stdout.strip().splitlines()[-1:])
    return found


def pod_of(site: str) -> tuple[str, str]:
    """Return name and address of a pod of the shop."""
    listed = json.loads(kubectl(site, "get", "pods", "-n", "shop", "-l", "app.kubernetes.io/name=shop", "-o", "json"))
    running = (each for each in listed["items"] if each["status"]["phase"] == "Running")
    found = next(running)
    return found["metadata"]["name"], found["status"]["podIP"]


def knock(attempt: Attempt, places: Mapping[str, str], pod: str) -> list[dict[str, Any]]:
    """Ask from where the attacker is."""
    asked = json.dumps(attempt.questions)
    where = places[attempt.place]
    if attempt.place == POD:
        words = ["exec", "-i", "-n", "shop", pod, "--", "python3.11", "-c", KNOCKING.read_text()]
        answers = kubectl(where, *words, stdin=asked, seconds=SECONDS)
    else:
        answers = run_inside(where, ["python3", str(KNOCKING)], stdin=asked, seconds=SECONDS).stdout
    return list(json.loads(answers.strip().splitlines()[-1]))


def let_in(attempt: Attempt, question: Question, answer: Mapping[str, Any]) -> bool:
    """Whether an answer is more than a refusal."""
    if 200 <= answer["status"] < 400:
        return True
    if "tcp" in question:  # whatever was sent back, the port is reached
        return not answer["text"].startswith(
            ("TimeoutError", "ConnectionRefusedError", "OSError", "ConnectionResetError")
        )
    return any(text in answer["text"] for text in attempt.opens)


def sizes(attacker: str, *, is_pod: bool) -> dict[Path, int]:
    """How long each log is that the attacker cannot change."""
    logs = (lab_directory() / "hosts").glob("*/log/*.log")

    def counts(file: Path) -> bool:
        return file.parent.parent.name != attacker or (is_pod and file.stem == LOG)

    return {file: file.stat().st_size for file in logs if counts(file)}


def named_in(before: Mapping[Path, int], address: str) -> list[str]:
    """Return the logs whose new lines name an address."""
    found, named = [], re.compile(rb"(?<![\d.])" + re.escape(address.encode()) + rb"(?![\d.]*\d)")
    for file, size in before.items():
        with file.open("rb") as text:
            text.seek(size if size <= file.stat().st_size else 0)  # one that was begun anew is read whole
            if named.search(text.read()):
                found.append(f"{file.parent.parent.name} {file.stem}")
    return sorted(found)


def main() -> int:
    """Try everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="rdc-a")
    parser.add_argument("--other", default="rdc-b", help="the pair whose jurisdiction the attacker is in")
    parser.add_argument("--only", default="", help="only attempts whose story or line has this text")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    topology = load_topology(environment="lab")
    pair, other = topology.pair(options.pair), topology.pair(options.other)
    client = f"client-{topology.jurisdiction_of(other.primary)}"
    places = {CLIENT: client, POD: other.primary, HOST: other.primary}
    hosts = load_hosts(topology)
    address_of = {place: str(hosts.host(name).address) for place, name in places.items()}
    pod, address_of[POD] = pod_of(other.primary)
    command = [str(REPOSITORY / ".venv/bin/shopsphere")]
    commit = run(["git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD"]).stdout.strip()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    before = state(pair, command)
    watched = DoorsWatched(pair, topology)
    failed, tried, unseen = 0, 0, 0
    with options.results.open("a") as results:
        for attempt in all_attempts(pair, other, topology):
            if options.only not in f"{attempt.story} {attempt.what}":
                continue
            tried += 1
            logs = sizes(places[attempt.place], is_pod=attempt.place == POD)
            answers = knock(attempt, places, pod)
            pairs = zip(attempt.questions, answers, strict=True)
            opened = [each for question, each in pairs if let_in(attempt, question, each)]
            time.sleep(0.5)  # what is logged is written by then
            seen = named_in(logs, address_of[attempt.place])
            failed, unseen = failed + bool(opened), unseen + (not opened and not seen)
            shown = (opened or answers)[0]
            answer = f"{shown['status']} {' '.join(shown['text'].split())[:160]}".strip()
            line = {
                "run": began, "commit": commit, "pair": pair.name, "story": attempt.story, "what": attempt.what,
                "from": f"{attempt.place} ({places[attempt.place]})", "questions": len(answers),
                "refused": not opened, "answer": answer, "seen_in": seen,
            }  # fmt: skip
            results.write(json.dumps(line) + "\n")
            sys.stdout.write(f"{'refused' if not opened else 'LET IN '}  {attempt.story:4} {attempt.what}"
                             f" [{places[attempt.place]}]: {answer[:90]}  {', '.join(seen)}\n")  # fmt: skip
    watched.end()
    after = state(pair, command)
    changed = [f"{name}: {before[name]} became {after[name]}" for name in before if before[name] != after[name]]
    for problem in [*changed, *watched.problems]:
        sys.stdout.write(f"CHANGED  {problem}\n")
    looks = f"{len(watched.problems)} of {watched.looks} looks at the doors not as they should be"
    sys.stdout.write(
        f"{tried} attempts, {failed} let in, {unseen} refused without a line in a log, "
        f"{len(changed)} things changed, {looks}\n"
    )
    return 1 if failed or changed or watched.problems else 0


if __name__ == "__main__":
    sys.exit(main())
