"""`shopsphere residency plant`, `prove` and `verify`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import In
from shopsphere.estate.paths import residency_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.actor import actor
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.progress import say
from shopsphere.topology import Topology, load_topology

if TYPE_CHECKING:
    from shopsphere.residency.evidence import Evidence
    from shopsphere.residency.tokens import Planting

app = typer.Typer(
    no_args_is_help=True, suggest_commands=False, help="Whose data is where: planted, looked for, and proven."
)
_SECONDS = 900.0


@app.callback()
def about() -> None:
    """Plant customers who do not exist, and look for them where they must not be."""


@app.command()
def plant(environment: In = Environment.LAB) -> None:
    """Sign up, order and pay as a new customer of each jurisdiction; keeps their words in a private file."""
    _require_lab(environment)
    from lab import residency as lab  # noqa: PLC0415 - only those who work on the lab depend on it
    from shopsphere.residency import plant as planting  # noqa: PLC0415 - as above, with its clients
    from shopsphere.residency import tokens  # noqa: PLC0415

    topology = load_topology(environment=environment)
    shop = f"https://{topology.shop_host}"
    jurisdictions = lab.running_jurisdictions(topology)
    made = planting.plant(jurisdictions, shop, lab.order, environment=environment, now=time.time())
    tokens.keep(_tokens_file(environment), made)
    say(f"planted: {len(made.tokens)} tokens in {', '.join(jurisdictions) or 'no jurisdiction'}")


@app.command()
def prove(
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="the signed document instead of text")] = False,
    out: Annotated[
        Path | None, typer.Option(help="where to write the signed document; else beside the records of runs")
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=60, max=3600, help="after which a host begins to look at no further place")
    ] = _SECONDS,
) -> None:
    """Look for every planted customer in every place that is not theirs; writes a signed report."""
    _require_lab(environment)
    from shopsphere.residency import evidence, render, tokens  # noqa: PLC0415 - see above

    tokens_file = _tokens_file(environment)
    planting = tokens.recall(tokens_file)
    topology = load_topology(environment=environment)
    found = _proof(topology, environment, planting, evidence.digest_of(tokens_file), seconds)
    key = evidence.operator_key(_key_file(environment))
    document = evidence.signed(found, key)
    file = out or residency_directory(environment) / f"evidence-{found.at.replace(':', '')}.json"
    write_whole(file, document)
    write_whole(file.with_suffix(".txt"), render.as_text(found) + "\n")
    sys.stdout.write(document if as_json else f"{render.as_text(found, terminal().width)}\n")
    say(f"signed: {file}; public key {evidence.public_of(key)}")
    raise typer.Exit(found.exit_code)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="a signed document")],
    public_key: Annotated[str, typer.Option("--key", help="public key of whoever is trusted, in base64")],
) -> None:
    """Check who signed a report, and that it is as it was signed; exits as the proof did."""
    from shopsphere.residency import evidence, render  # noqa: PLC0415 - see above

    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ShopSphereError.build(
            f"{file}: cannot be read",
            expected="a document that `shopsphere residency prove` wrote",
            found=getattr(error, "strerror", None) or str(error),
            action="name the document",
        ) from error
    found = evidence.verify(text, public_key)
    sys.stdout.write(f"{render.as_text(found, terminal().width)}\n")
    raise typer.Exit(found.exit_code)


def _proof(topology: Topology, environment: Environment, planting: Planting, digest: str, seconds: float) -> Evidence:
    from lab import residency as lab  # noqa: PLC0415 - only those who work on the lab depend on it
    from lab.hosts import load_hosts  # noqa: PLC0415
    from shopsphere.residency import forms, plant, proving  # noqa: PLC0415 - see above
    from shopsphere.residency.evidence import Evidence  # noqa: PLC0415

    jurisdictions = list(dict.fromkeys(each.jurisdiction for each in planting.tokens))
    shop = f"https://{topology.shop_host}"

    def order() -> None:
        for each in jurisdictions:
            lab.order(each, plant.guest(planting, each, shop))

    orders = proving.Orders(order, lab.LISTEN_SECONDS)
    places = lab.searched(topology, load_hosts(topology))
    reports = proving.prove(planting, places, lab.search, orders, seconds=seconds)
    return Evidence(
        environment=environment,
        by=actor(),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        planted=datetime.fromtimestamp(planting.began, UTC).isoformat(timespec="seconds"),
        tokens={each: tuple(token.name for token in planting.of(each)) for each in jurisdictions},
        planting=digest,
        forms=sum(len(forms.needles(each)) for each in planting.tokens),
        orders=orders.made,
        places=tuple(reports),
    )


def _tokens_file(environment: Environment) -> Path:
    return residency_directory(environment) / "tokens.json"


def _key_file(environment: Environment) -> Path:
    return residency_directory(environment) / "operator.key"


def _require_lab(environment: Environment) -> None:
    """Refuse what is not known of other environments, instead of calling clean what nobody has looked at."""
    if environment is not Environment.LAB:
        raise ShopSphereError.build(
            f"the places of {environment} are not known to this command",
            expected="the lab",
            found=str(environment),
            action="docs/residency.md says how a runner in each jurisdiction looks at its own places",
        )
