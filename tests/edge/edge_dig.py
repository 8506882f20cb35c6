"""Questions to name servers, asked as a client would."""

from dataclasses import dataclass

from shopsphere.foundation.process import run

RESOLVER = "10.99.0.52"


@dataclass(frozen=True)
class Answer:
    status: str
    addresses: list[str]
    ttl: int | None


def ask(
    name: str, *, at: str = RESOLVER, client: str | None = None, subnet: str | None = None, type_: str = "A"
) -> Answer:
    words = ["dig", f"@{at}", name, type_, "+tries=1", "+time=4", "+noall", "+comments", "+answer"]
    words += ["-b", client] if client else []
    words += [f"+subnet={subnet}"] if subnet else []
    lines = run(words, check=False, seconds=10).stdout.splitlines()
    header = next((line for line in lines if "status:" in line), "status: NONE,")
    records = [line.split(maxsplit=4) for line in lines if line and not line.startswith(";")]
    ttl = int(records[0][1]) if records else None
    return Answer(header.split("status: ")[1].split(",")[0], [record[4] for record in records], ttl)
