"""Questions to name servers, asked as a client would."""

import time
from dataclasses import dataclass

from shopsphere.foundation.process import run

RESOLVER = "10.99.0.52"
SECONDS = 15
"""For an answer: one that does not come is "NONE", and a machine that is busy with other tests has time for its own."""


@dataclass(frozen=True)
class Answer:
    status: str
    addresses: list[str]
    ttl: int | None


def ask(
    name: str, *, at: str = RESOLVER, client: str | None = None, subnet: str | None = None, type_: str = "A"
) -> Answer:
    words = ["dig", f"@{at}", name, type_, "+tries=1", f"+time={SECONDS}", "+noall", "+comments", "+answer"]
    words += ["-b", client] if client else []
    words += [f"+subnet={subnet}"] if subnet else []
    lines = run(words, check=False, seconds=SECONDS + 30).stdout.splitlines()
    header = next((line for line in lines if "status:" in line), "status: NONE,")
    records = [line.split(maxsplit=4) for line in lines if line and not line.startswith(";")]
    ttl = int(records[0][1]) if records else None
    return Answer(header.split("status: ")[1].split(",")[0], [record[4] for record in records], ttl)


def ask_twice(name: str, *, client: str | None = None) -> Answer:
    """Ask the resolver, and once more where it says that it found out nothing.

    It passes over an authority that is silent for 0.4 s, as one may be on a busy machine. What it has found out of
    both it keeps for a second.
    """
    first = ask(name, client=client)
    if first.status != "SERVFAIL":
        return first
    time.sleep(1.5)
    return ask(name, client=client)
