"""What a command prints can be typed as it stands, also where it was called for other clusters than the lab's."""

from collections.abc import Iterator

import click
import pytest
from typer.main import get_command

from cli import main as cli
from shopsphere.foundation.columns import UNBOUNDED, folded
from shopsphere.foundation.progress import say
from shopsphere.foundation.side_by_side import at_each
from shopsphere.foundation.typed_commands import OPTION, WITHOUT, as_typed, print_for


def leaves(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from leaves(each, (*words, name))
    else:
        yield " ".join(words), command


VERBS = dict(leaves(get_command(cli.app)))


@pytest.mark.requirement("a printed command names the environment exactly where its verb knows one")
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_knows_environments_gets_it(verb: str) -> None:
    print_for("prod")
    takes = any(OPTION in parameter.opts for parameter in VERBS[verb].params)
    assert as_typed(f"`shopsphere {verb} X`") == f"`shopsphere {verb} X{' --environment prod' if takes else ''}`"


def test_what_is_listed_is_there() -> None:
    assert {verb for verb in VERBS if {verb, verb.split()[0]} & WITHOUT} == {
        verb for verb, command in VERBS.items() if all(OPTION not in each.opts for each in command.params)
    }


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("call `shopsphere status all`, then wait", "call `shopsphere status all --environment prod`, then wait"),
        ("`shopsphere status a` and `shopsphere ready b`", "`shopsphere status a -E` and `shopsphere ready b -E`"),
        ("`shopsphere up a --environment lab`", "`shopsphere up a --environment lab`"),
        ("`shopsphere up a -e lab --yes`", "`shopsphere up a -e lab --yes`"),
        ("`shopsphere policy rights a | kubectl apply -f -`", "`shopsphere policy rights a -E | kubectl apply -f -`"),
        ("`shopsphere --version`", "`shopsphere --version`"),
        ('`shopsphere drill a --reason "x > y"`', '`shopsphere drill a --reason "x > y" -E`'),
        ("`shopsphere history`", "`shopsphere history -E`"),
        (
            "`shopsphere lab psql dublin ledger -- -c 'select 1'`",
            "`shopsphere lab psql dublin ledger -- -c 'select 1'`",
        ),
        ("`kubectl get pods`; shopsphere keeps", "`kubectl get pods`; shopsphere keeps"),
    ],
)
def test_words(said: str, typed: str) -> None:
    assert as_typed(said) == said, "the lab needs no word"
    print_for("prod")
    assert as_typed(said) == typed.replace("-E", "--environment prod")


def test_both_ways_to_a_person_are_so(capfd: pytest.CaptureFixture[str]) -> None:
    print_for("prod")
    say("do: `shopsphere up a`")
    assert capfd.readouterr().err == "do: `shopsphere up a --environment prod`\n"
    assert folded("do: `shopsphere up a`", UNBOUNDED) == ["do: `shopsphere up a --environment prod`"]


@pytest.mark.requirement("what is said of several sites at once can be typed as it stands, too")
def test_threads_say_the_same() -> None:
    print_for("prod")
    assert at_each([1, 2], lambda _: as_typed("`shopsphere up a`")) == ["`shopsphere up a --environment prod`"] * 2


def test_the_environment_of_a_call_counts(capfd: pytest.CaptureFixture[str]) -> None:
    """Of this one, not of the one before it in the same process."""
    assert cli.run(["policy", "check", "--environment", "prod"]) != 0
    of_prod = capfd.readouterr().err
    assert cli.run(["policy", "check"]) != 0
    of_lab = capfd.readouterr().err
    assert as_typed("`shopsphere up a`") == "`shopsphere up a`"
    assert "`shopsphere policy check --all --environment prod`" in of_prod
    assert of_prod.replace(" --environment prod", "") == of_lab
