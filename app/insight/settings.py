"""Settings of the worker that counts clicks, read once from the environment, validated and frozen.

Where the log is, it is told by the variables of the collector, which writes there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.clicks.settings import ClicksEnvironment, connection_of
from app.insight.pruning import Keeps
from app.settings import Listen

PREFIX = "INSIGHT_"
VARIABLES = frozenset({"INSIGHT_GROUP", "INSIGHT_LOG", "INSIGHT_MINUTE_DAYS", "INSIGHT_SESSION_DAYS"})
"""Every variable that begins with PREFIX; another one has no effect, so it is refused."""
PORT = 8012
LONGEST_DAYS = 400


class InsightEnvironment(ClicksEnvironment):
    """The environment with the worker's own variables."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(variables)
        self.refuse_unknown(PREFIX, VARIABLES)


@dataclass(frozen=True, slots=True)
class InsightSettings:
    """Settings of `shop insight`.

    Attributes:
        topic: that is read.
        connection: how its brokers are reached, in the words of their client.
        group: of consumers that share the topic.
        log: name of the log where brokers give topics no ids; empty to ask them.
        keeps: how long what is counted is kept, and how much.
    """

    listen: Listen
    topic: str
    connection: Mapping[str, str] = field(repr=False)
    group: str
    log: str
    commerce_dsn: str = field(repr=False)
    other_commerce_dsn: str = field(repr=False)
    keeps: Keeps

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> InsightSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = InsightEnvironment(variables)
        usual = Keeps()
        settings = cls(
            listen=Listen.read(environment, PORT),
            topic=environment.text("CLICKS_TOPIC", "clicks"),
            connection=connection_of(environment),
            group=environment.text("INSIGHT_GROUP", "insight"),
            log=environment.text("INSIGHT_LOG", ""),
            commerce_dsn=environment.dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            other_commerce_dsn=environment.other_dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            keeps=Keeps(
                minute_days=environment.number("INSIGHT_MINUTE_DAYS", usual.minute_days, low=2, high=LONGEST_DAYS),
                session_days=environment.number("INSIGHT_SESSION_DAYS", usual.session_days, low=1, high=30),
            ),
        )
        environment.check()
        return settings
