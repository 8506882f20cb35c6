"""Settings of the recommender, read once from the environment, validated and frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Environment, Listen

PREFIX = "RECOMMEND_"
VARIABLES = frozenset(
    {"RECOMMEND_INDEX_FILE", "RECOMMEND_REBUILD_SECONDS", "RECOMMEND_SHOWN_SECONDS", "RECOMMEND_CONNECTIONS"}
)
"""Every variable that begins with PREFIX; another one has no effect, so it is refused."""
PORT = 8011


class RecommendEnvironment(Environment):
    """The environment with the recommender's own variables."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(variables)
        self.refuse_unknown(PREFIX, VARIABLES)

    def new_file(self, name: str, default: str) -> Path:
        """Return the path of a file that is written; its folder has to be there."""
        path = Path(self.text(name, default))
        if not path.parent.is_dir():
            self.refuse(f"{name}: expected a file in a folder that is there, found {str(path)!r}")
        return path


@dataclass(frozen=True, slots=True)
class RecommendSettings:
    """Settings of `shop recommend` and `shop index-sessions`.

    Attributes:
        index_file: where the index is kept for the next start.
        rebuild_every_seconds: after so long an index is made anew.
        shown_every_seconds: after so long it is asked again what may be shown.
        connections: that may be open.
    """

    listen: Listen
    commerce_dsn: str = field(repr=False)
    other_commerce_dsn: str = field(repr=False)
    index_file: Path
    rebuild_every_seconds: float
    shown_every_seconds: float
    connections: int

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> RecommendSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = RecommendEnvironment(variables)
        settings = cls(
            listen=Listen.read(environment, PORT),
            commerce_dsn=environment.dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            other_commerce_dsn=environment.other_dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            index_file=environment.new_file("RECOMMEND_INDEX_FILE", "/tmp/shopsphere-sessions.index"),  # noqa: S108 see settings.py
            rebuild_every_seconds=environment.number("RECOMMEND_REBUILD_SECONDS", 300, low=0.1, high=86_400),
            shown_every_seconds=environment.number("RECOMMEND_SHOWN_SECONDS", 1, low=0.05, high=60),
            connections=int(environment.number("RECOMMEND_CONNECTIONS", 256, low=1, high=10_000)),
        )
        environment.check()
        return settings
