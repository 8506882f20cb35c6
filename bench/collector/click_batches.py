"""What browsers send in the benchmark."""

from __future__ import annotations

import json
import random
from typing import Any

HEADERS = (
    "host: www.shopsphere.test",
    "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "content-type: text/plain;charset=UTF-8",
    'sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "accept: */*",
    "origin: https://www.shopsphere.test",
    "sec-fetch-site: same-origin",
    "sec-fetch-mode: cors",
    "sec-fetch-dest: empty",
    "referer: https://www.shopsphere.test/products/tidal-rings-tee",
    "accept-encoding: gzip, deflate, br, zstd",
    "accept-language: de-DE,de;q=0.9,en;q=0.8",
    "x-forwarded-for: 198.51.100.7",
)
NOW_MS = 1_764_500_000_000
SHARES = {"view": 60, "list": 20, "search": 10, "add": 5, "remove": 1, "checkout": 2, "buy": 2}
WORDS = ("moon", "linen apron", "brass lamp", "waves hoodie", "gift for a friend", "headphones")


def request(events: int, size: int, chance: random.Random) -> bytes:
    """Return one POST.

    Args:
        events: in its batch.
        size: bytes of each event at least; 0 for as long as a browser makes it.
        chance: decides what happened.
    """
    batch = {
        "v": 1, "tab": f"{chance.getrandbits(64):016x}", "b": chance.randrange(200), "sent": NOW_MS, "c": 1, "d": 0,
        "e": [_event(number, size, chance) for number in range(events)],
    }  # fmt: skip
    body = json.dumps(batch, separators=(",", ":")).encode()
    lines = ("POST /b HTTP/1.1", *HEADERS, f"content-length: {len(body)}", "", "")
    return "\r\n".join(lines).encode() + body


def _event(number: int, size: int, chance: random.Random) -> dict[str, Any]:
    (kind,) = chance.choices(list(SHARES), list(SHARES.values()))
    shelf = f"shelf-{chance.randrange(20)}"
    kinds: dict[str, dict[str, Any]] = {
        "view": {"p": f"product-{int(chance.paretovariate(1.1)) % 600}-tee", "k": shelf},
        "list": {"k": shelf, "n": chance.randrange(1, 5)},
        "search": {"s": chance.choice(WORDS), "n": chance.randrange(60)},
        "add": {"p": f"product-{chance.randrange(600)}-tee", "k": shelf},
        "remove": {"p": f"product-{chance.randrange(600)}-tee"},
    }
    about = kinds.get(kind, {"n": chance.randrange(1, 6)})
    made = {"t": kind, **about, "at": NOW_MS - chance.randrange(5000), "q": number}
    short = size - len(json.dumps(made, separators=(",", ":")))
    return made | ({"x": "x" * (short - 7)} if short > 7 else {})
