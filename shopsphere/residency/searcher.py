"""The program that looks at a site's places, at the site: `python -m shopsphere.residency.searcher`.

It reads a request in JSON, with tokens, and prints a list of reports in JSON. The tokens belong to customers who do not
exist, so they may be carried to it; what it reads belongs to real ones, so it is looked at where it is, and only counts
and positions come back.
"""

from __future__ import annotations

import sys

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.residency.looking import PlaceReport, look_at_places
from shopsphere.residency.place_files import Looked
from shopsphere.residency.places import PlaceSpec
from shopsphere.residency.tokens import Token

MOST_REQUEST = 1 << 22
REPORTS = TypeAdapter(list[PlaceReport])


class RequestError(ShopSphereError):
    """The program was not given a request that it understands."""


class Request(BaseModel):
    """What to look for, and where.

    Attributes:
        at: how reports call the host.
        jurisdiction: to which its places belong; empty for the edge.
        since: seconds since 1970; files that changed last before it are not read.
        seconds: after which no further place is begun.
        tokens: of all jurisdictions.
        places: in their order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    jurisdiction: str
    since: float
    seconds: float = Field(gt=0, le=3600)
    tokens: tuple[Token, ...] = Field(min_length=1, max_length=200)
    places: tuple[PlaceSpec, ...] = Field(max_length=200)


def answer(text: str) -> str:
    """Return the reports on what a request names.

    Raises:
        RequestError: it is no request.
    """
    try:
        request = Request.model_validate_json(text)
    except ValidationError as error:
        raise RequestError.build(
            "no request for a search",
            expected="a JSON object with at, jurisdiction, since, seconds, tokens and places",
            found="; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5]),
            action="send what this version of `shopsphere residency prove` writes",
        ) from error
    looked = Looked(request.since)
    places = [each.place(looked) for each in request.places]
    reports = look_at_places(
        places, request.tokens, jurisdiction=request.jurisdiction, at=request.at, seconds=request.seconds
    )
    return REPORTS.dump_json(reports).decode()


def main() -> None:
    """Answer one request."""
    try:
        sys.stdout.write(answer(sys.stdin.read(MOST_REQUEST)) + "\n")
    except ShopSphereError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
