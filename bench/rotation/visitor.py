"""A customer who put something into the cart before a rotation, and comes back after it. Runs at a client host.

Standard input: cookies as a JSON object, empty for a new customer, who puts the article into the cart. Prints a JSON
object: `said`, which is `accepted` where the cart is theirs and `refused` where it is another one's, and `cookies`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "support"))
from shopper import Shopper

from shopsphere.foundation.trust import client_context

HOST, ARTICLE = "www.shopsphere.test", "tidal-rings-tee"
TRIES, PAUSE = 5, 2.0


def asked(shopper: Shopper, cookies: dict[str, str]) -> dict[str, Any]:
    if cookies:
        for name, value in cookies.items():
            shopper.http.cookies.set(name, value, domain=HOST, path="/")
    else:
        answer = shopper.add(ARTICLE)
        assert answer.status_code == 303, f"cart: {answer.status_code}"
    is_theirs = f"/products/{ARTICLE}" in shopper.get("/cart").text
    return {"said": "accepted" if is_theirs else "refused", "cookies": dict(shopper.http.cookies)}


def main() -> None:
    cookies = json.loads(sys.stdin.read())
    found: dict[str, Any] = {}
    for _ in range(TRIES):
        shopper = Shopper(f"https://{HOST}", trust=client_context())
        try:
            found = asked(shopper, cookies)
            break
        except (httpx.HTTPError, AssertionError) as error:
            found = {"said": f"unknown: {type(error).__name__}: {error}", "cookies": {}}
            time.sleep(PAUSE)
        finally:
            shopper.http.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
