"""`shopsphere region add|facts`."""

from __future__ import annotations

import math
import sys
from typing import Annotated

import typer

from cli.common import Of
from cli.pairs import require_pair
from shopsphere.estate.new_region import NewRegion, NewSite
from shopsphere.estate.region_facts import region_facts
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

app = typer.Typer(no_args_is_help=True, help="Regions of topology.yaml: add one, or see what its shop is told.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="name of the pair, as in rdc-d", show_default=False)],
    *,
    primary: Annotated[str, typer.Option(help="city and country of the primary site, as in Tokyo,JP")],
    recovery: Annotated[str, typer.Option(help="city and country of the recovery site, as in Osaka,JP")],
    rtt_ms: Annotated[float, typer.Option(help="round trip between the two sites (ms)", min=0.1)],
    jurisdiction: Annotated[str, typer.Option(help="of both sites: a new name, or one of topology.yaml")],
    legal_basis: Annotated[str, typer.Option(help="why data may move between the two sites; for a new one")] = "",
    title: Annotated[str, typer.Option(help="what the shop calls the region, as in Japan")],
    language: Annotated[str, typer.Option(help="of its pages, as in ja-JP")],
    currency: Annotated[str, typer.Option(help="a new ISO 4217 code, or one of topology.yaml")],
    currency_sign: Annotated[str, typer.Option(help="as in ¥; for a new currency")] = "",
    minor_digits: Annotated[
        int, typer.Option(min=0, max=3, help="digits after the decimal point; for a new currency")
    ] = 2,
    price_factor: Annotated[
        float, typer.Option(min=0, max=1_000_000, help="price of one euro; for a new currency")
    ] = 0.0,
    prices_include_tax: Annotated[bool, typer.Option(help="whether the prices shown are what a customer pays")] = True,
    order_prefix: Annotated[
        str, typer.Option(help="first letters of order numbers; the currency's first if not given")
    ] = "",
    delivers_to: Annotated[
        list[str], typer.Option(help="a country, as in JP=Japan; may be repeated, the usual one first")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be written, and write nothing")] = False,
) -> None:
    """Add a region to topology.yaml and make its stack files; prints what is left to do by hand."""
    from shopsphere.estate import adding_region  # noqa: PLC0415 - it draws, and completion need not wait for that

    region = NewRegion(
        name=name,
        primary=_site("--primary", primary),
        recovery=_site("--recovery", recovery),
        rtt_ms=rtt_ms,
        jurisdiction=jurisdiction,
        legal_basis=legal_basis,
        title=title,
        language=language,
        currency=currency,
        currency_sign=currency_sign,
        minor_digits=minor_digits,
        price_factor=price_factor,
        prices_include_tax=prices_include_tax,
        order_prefix=order_prefix or currency[:1],
        delivers_to=dict(_country(each) for each in delivers_to),
    )
    if not math.isfinite(price_factor):
        raise _wrong("--price-factor", "the price of one euro, as in 165", str(price_factor))
    wanted = adding_region.draft(region, REPOSITORY)
    if not dry_run:
        adding_region.write(wanted)
    files = [*(wanted.project / each for each in wanted.stacks), *wanted.changed]
    lines = [f"{'would write' if dry_run else 'wrote'} {file.relative_to(REPOSITORY)}" for file in files]
    lines += ["", "left to do by hand:", *(f"  - {each}" for each in wanted.by_hand)]
    lines += ["", f"then: make check; make up REGION={name}"]
    sys.stdout.write("\n".join(lines) + "\n")


@app.command()
def facts(
    name: Annotated[str, typer.Argument(help="name of the pair, as in rdc-a", show_default=False)],
    environment: Of = Environment.LAB,
) -> None:
    """Print what the shop of a region is told: `export SHOP_REGION_FACTS="$(shopsphere region facts rdc-a)"`."""
    topology = load_topology(environment=environment)
    require_pair(topology, name)
    sys.stdout.write(region_facts(topology, name) + "\n")


def _site(option: str, text: str) -> NewSite:
    city, comma, country = (part.strip() for part in text.rpartition(","))
    site = NewSite(city, country)
    if not comma or not site.name:
        raise _wrong(option, "a city and the code of its country, as in Tokyo,JP", text)
    return site


def _country(text: str) -> tuple[str, str]:
    code, equals, name = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise _wrong("--delivers-to", "a code and a name, as in JP=Japan", text)
    return code, name


def _wrong(option: str, expected: str, found: str) -> UsageError:
    return UsageError(f"{option} cannot be read\n  expected: {expected}\n  found:    {found!r}\n  do:       correct it")
