"""Settings of headquarters' pages, read once from the environment, validated and frozen."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.reporting.staff import StaffFileError, staff_of
from app.settings import OTHER, Environment, Listen

PREFIX = "REPORT_"
VARIABLES = frozenset(
    {
        *("REPORT_DSN", "REPORT_PASSWORD", f"REPORT_PASSWORD{OTHER}", "REPORT_SECRET", f"REPORT_SECRET{OTHER}"),
        *("REPORT_STAFF_FILE", "REPORT_REGIONS", "REPORT_PUBLIC_URL"),
    }
)
"""Every variable that begins with PREFIX; another one has no effect, so it is refused."""
PORT = 8014
LARGEST_NUMBER = 99
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


class ReportEnvironment(Environment):
    """The environment with the pages' own variables."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        super().__init__(variables)
        self.refuse_unknown(PREFIX, VARIABLES)

    def regions(self, name: str) -> Mapping[int, str]:
        """Return the names of regions by their numbers, from a JSON object such as {"1": "rdc-a"}."""
        value = self.text(name)
        try:
            found = json.loads(value) if value else {}
            names = {int(number): text for number, text in found.items()}
        except (ValueError, AttributeError):
            names = {}
        is_usable = all(
            1 <= number <= LARGEST_NUMBER and isinstance(text, str) and _NAME.fullmatch(text)
            for number, text in names.items()
        )
        if value and (not names or not is_usable or len(set(names.values())) < len(names)):
            self.refuse(
                f'{name}: expected names of regions by numbers from 1 to {LARGEST_NUMBER} such as {{"1": "rdc-a"}}, '
                f"each name once, found {value[:200]!r}"
            )
            return {}
        return names

    def staff(self, name: str) -> Mapping[str, str]:
        """Return the hashes of passwords by names, from the file that a variable names."""
        path = self.text(name)
        if not path:
            return {}
        try:
            return staff_of(Path(path).read_text())
        except (OSError, UnicodeDecodeError) as error:
            self.refuse(f"{name}: expected a file that can be read, found {path!r}: {type(error).__name__}")
        except StaffFileError as error:
            self.refuse(f"{name}: {error}")
        return {}


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """Settings of `shop report`.

    Attributes:
        public_url: where browsers find the pages; forms of other origins are refused.
        secret: signs what a browser is signed in with.
        other_secret: the one before it or after it, whose signatures count as well; empty for none.
        staff: hashes of passwords by names.
        regions: names by numbers.
    """

    listen: Listen
    public_url: str
    dsn: str = field(repr=False)
    other_dsn: str = field(repr=False)
    secret: str = field(repr=False)
    other_secret: str = field(repr=False)
    staff: Mapping[str, str] = field(repr=False)
    regions: Mapping[int, str]

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> ReportSettings:
        """Read and validate the environment.

        Raises:
            SettingsError: lists everything that is missing or wrong.
        """
        environment = ReportEnvironment(variables)
        settings = cls(
            listen=Listen.read(environment, PORT),
            public_url=environment.url("REPORT_PUBLIC_URL", f"http://127.0.0.1:{PORT}"),
            dsn=environment.dsn("REPORT_DSN", "REPORT_PASSWORD"),
            other_dsn=environment.other_dsn("REPORT_DSN", "REPORT_PASSWORD"),
            secret=environment.secret("REPORT_SECRET"),
            other_secret=environment.other_secret("REPORT_SECRET"),
            staff=environment.staff("REPORT_STAFF_FILE"),
            regions=environment.regions("REPORT_REGIONS"),
        )
        environment.check()
        return settings
