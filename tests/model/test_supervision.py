"""supervisord starts a host's programs with exactly the words that a component has."""

import configparser
import shlex
from pathlib import Path

import pytest
from supervisor.options import expand

from lab.component import Component
from lab.host import supervision

WORDS = [
    ("/bin/sh", "-c", 'SECRET="$(cat "$0")" exec "$@"', "/a file", "x"),
    ("sh", "-c", 'echo 50000000 > /proc/self/timerslack_ns && exec "$@"', "unhurried"),
    ("date", "+%H:%M", "it's", 'say "no"', "a;b", ""),
]


def read_back(text: str, name: str) -> list[str]:
    """As supervisord reads the command of a program."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(text)
    return shlex.split(expand(parser[f"program:{name}"]["command"], {}, "command"))


@pytest.mark.parametrize("words", WORDS)
def test_words_arrive(words: tuple[str, ...]) -> None:
    text = supervision.render([Component("one", words)], run_directory=Path("/run/x"), log_directory=Path("/log"))
    assert read_back(text, "one") == list(words)


@pytest.mark.parametrize("word", ["a ;b", "a #b", "a\nb"])
def test_what_would_be_a_comment_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="comment"):
        supervision.render([Component("one", (word,))], run_directory=Path("/run/x"), log_directory=Path("/log"))
