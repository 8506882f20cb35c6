"""Settings of every entry point, read once from the environment, validated and frozen."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from app.errors import SettingsError
from app.payment_methods import methods_of
from app.recommendations.trial import Trial, trial_of
from app.region import Region, RegionFactsError, region_of

RENDERED_IN_IMAGE = Path("/usr/share/shopsphere")
RENDERED_IN_DEVELOPMENT = Path("/tmp/shopsphere-rendered")  # noqa: S108 the one folder that is writable in the pod
SHORTEST_SECRET = 32  # characters; what HMAC-SHA256 can make use of


REGION_FACTS = "SHOP_REGION_FACTS"
"""The variable with what the shop has to know about its region (JSON); app/region.py has the names."""
CALL_KEY = "PAYMENTS_CALL_KEY"
"""The variable with what storefront and payments service prove to each other who they are by."""
OTHER = "_OTHER"
"""End of the variable with the secret before or after that of the variable without it, which is believed as well."""

VARIABLES = frozenset(
    {
        *("SHOP_LISTEN", "SHOP_PORT", "SHOP_DRAIN_SECONDS", "SHOP_SITE", "SHOP_CLICKS"),
        *("SHOP_RECOMMENDATIONS", "SHOP_RECOMMENDATIONS_TRIAL"),
        *(REGION_FACTS, "SHOP_PUBLIC_URL", "SHOP_STATIC_URL", "SHOP_SESSION_SECRET", "SHOP_RENDERED", "SHOP_POOL_SIZE"),
        *(f"SHOP_SESSION_SECRET{OTHER}", f"{CALL_KEY}{OTHER}"),
        *(CALL_KEY, "PAYMENTS_URL", "PAYMENTS_TIMEOUT_SECONDS", "PAYMENTS_RESOLVE_SECONDS", "PAYMENTS_POOL_SIZE"),
        *("SHOP_ENVIRONMENT", "SHOP_PAYMENT_METHODS", "SHOP_RECONCILE_SECONDS", "PAYMENTS_RECONCILE_SECONDS"),
        *("PSP_URL", "PSP_TIMEOUT_SECONDS", "PSP_STATE_FILE", "PSP_API_KEY", "PSP_AUTHORITY_FILE", "PSP_ADMIN_TOKEN"),
    }
)
"""Every variable that begins with one of PREFIXES and that some entry point reads.

The containers of one pod share their variables, so each entry point knows those of the others.
"""
LAB = "lab"
"""The one value of SHOP_ENVIRONMENT under which money is not real; without it every rule of production holds."""
PREFIXES = ("SHOP_", "PAYMENTS_", "PSP_")
"""Beginnings of the shop's own names: such a variable that no entry point reads has no effect, so it is refused."""

_UNUSABLE = Region(
    pair="-", title="-", language="en", currency="XXX", currency_sign="-", minor_digits=0, price_factor=1.0,
    group="", decimal=".", sign_after=False, prices_include_tax=True, shipping_minor=0, free_shipping_from_minor=0,
    order_prefix="X", legal_texts="eu", seller=None, delivers_to={}, tax_name="", tax_percent={},
    tax_percent_of_kind={},
)  # fmt: skip
"""Stands in for a region that cannot be read, until `check` refuses the environment."""


class Environment:
    """Reads variables and gathers every problem, so that one message lists them all."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables
        self._problems: list[str] = []

    def refuse(self, problem: str) -> None:
        """Note a problem, for the one message that has all of them."""
        self._problems.append(problem)

    def refuse_unknown(self, prefixes: str | tuple[str, ...], known: Collection[str]) -> None:
        """Note each variable that begins so and that nobody reads: whoever set it thinks that it has an effect."""
        for name in sorted(self._variables):
            if name.startswith(prefixes) and name not in known:
                self.refuse(f"{name}: expected one of {', '.join(sorted(known))}, found an unknown name")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a variable's value; without a default it has to be there."""
        value = self._variables.get(name, "").strip()
        if value:
            return value
        if default is None:
            self._problems.append(f"{name}: expected a value, found none")
        return default or ""

    def url(self, name: str, default: str | None = None) -> str:
        """Return an http(s) address without a slash at its end."""
        value = self.text(name, default).rstrip("/")
        if value and urlsplit(value).scheme not in {"http", "https"}:
            self._problems.append(f"{name}: expected an http:// or https:// address, found {value!r}")
        return value

    def number(self, name: str, default: float, *, low: float, high: float) -> float:
        """Return a number within bounds."""
        value = self.text(name, str(default))
        try:
            number = float(value)
        except ValueError:
            number = low - 1
        if not low <= number <= high:
            self._problems.append(f"{name}: expected a number from {low:g} to {high:g}, found {value!r}")
        return number

    @property
    def in_lab(self) -> bool:
        """Whether money is not real here."""
        return self._variables.get("SHOP_ENVIRONMENT", "").strip() == LAB

    def provider_url(self, name: str, default: str) -> str:
        """Return the address of the payment provider: https, except in the lab."""
        value = self.url(name, default if self.in_lab else None)
        if value and not self.in_lab and urlsplit(value).scheme != "https":
            self._problems.append(f"{name}: expected an https:// address outside the lab, found {value!r}")
        return value

    def payment_methods(self, name: str) -> Mapping[str, str]:
        """Return how customers may pay, as titles by the provider's tokens."""
        try:
            return methods_of(self._variables.get(name, "").strip(), in_lab=self.in_lab)
        except ValueError as error:
            self._problems.append(f"{name}: {error}")
            return {}

    def trial(self, name: str) -> Trial | None:
        """Return the experiment with recommendations that a variable describes."""
        try:
            return trial_of(self.text(name, ""))
        except ValueError as error:
            self._problems.append(f"{name}: {error}")
            return None

    def region(self, name: str) -> Region:
        """Return the region that a variable describes."""
        value = self.text(name)
        try:
            return region_of(value) if value else _UNUSABLE
        except RegionFactsError as error:
            self._problems += [f"{name}: {problem}" for problem in error.problems]
            return _UNUSABLE

    def secret(self, name: str) -> str:
        """Return a secret that is long enough; its value never appears in a message."""
        value = self.text(name)
        if value and len(value) < SHORTEST_SECRET:
            self._problems.append(f"{name}: expected {SHORTEST_SECRET} characters or more, found {len(value)}")
        return value

    def other_secret(self, name: str) -> str:
        """Return the secret that is believed beside another one while that is renewed; empty for none."""
        return self.secret(f"{name}{OTHER}") if self._variables.get(f"{name}{OTHER}", "").strip() else ""

    def other_dsn(self, name: str, password_name: str) -> str:
        """Return a PostgreSQL address with the password before or after the usual one; empty for none."""
        return self.dsn(name, f"{password_name}{OTHER}") if self._variables.get(f"{password_name}{OTHER}") else ""

    def dsn(self, name: str, password_name: str) -> str:
        """Return a PostgreSQL address with its password put in, if one is given in its own variable."""
        value = self.text(name)
        parts = urlsplit(value)
        if value and parts.scheme not in {"postgresql", "postgres"}:
            self._problems.append(
                f"{name}: expected postgresql://user@host:port/database, found scheme {parts.scheme!r}"
            )
        password = self._variables.get(password_name, "")
        if not password or parts.password or not parts.username:
            return value
        user, _, hosts = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{hosts}"))

    def check(self) -> None:
        """Raise one error that lists all problems.

        Raises:
            SettingsError: a variable is missing, wrong, or one of the shop's own that nobody reads.
        """
        self.refuse_unknown(PREFIXES, VARIABLES)
        if self._problems:
            lines = "\n  ".join(self._problems)
            raise SettingsError(f"the environment is not usable:\n  {lines}\n  do: set these variables and start again")


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a process listens and how it leaves."""

    address: str
    port: int
    drain_seconds: float
    site: str

    @classmethod
    def read(cls, environment: Environment, port: int) -> Listen:
        """Read the common part of every server's settings."""
        return cls(
            address=environment.text("SHOP_LISTEN", "0.0.0.0"),  # noqa: S104 a pod's address is not known before
            port=int(environment.number("SHOP_PORT", port, low=1, high=65535)),
            drain_seconds=environment.number("SHOP_DRAIN_SECONDS", 3, low=0, high=60),
            site=environment.text("SHOP_SITE", "development"),
        )


@dataclass(frozen=True, slots=True)
class StorefrontSettings:
    """Settings of `shop serve`."""

    listen: Listen
    region: Region
    public_url: str
    static_url: str
    session_secret: str = field(repr=False)
    other_session_secret: str = field(repr=False)
    commerce_dsn: str = field(repr=False)
    other_commerce_dsn: str = field(repr=False)
    payments_url: str
    payments_timeout_seconds: float
    call_key: str = field(repr=False)
    other_call_key: str = field(repr=False)
    rendered: Path
    pool_size: int
    payment_methods: Mapping[str, str]
    reconcile_every_seconds: float
    counts_clicks: bool  # whether a collector stands at /b
    recommender_url: str  # empty: no page shows recommendations
    trial: Trial | None

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> StorefrontSettings:
        """Read and validate the environment."""
        environment = Environment(variables)
        settings = cls(
            listen=Listen.read(environment, 8000),
            region=environment.region(REGION_FACTS),
            public_url=environment.url("SHOP_PUBLIC_URL", "http://127.0.0.1:8000"),
            static_url=environment.url("SHOP_STATIC_URL", "http://127.0.0.1:8000"),
            session_secret=environment.secret("SHOP_SESSION_SECRET"),
            other_session_secret=environment.other_secret("SHOP_SESSION_SECRET"),
            commerce_dsn=environment.dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            other_commerce_dsn=environment.other_dsn("COMMERCE_DSN", "COMMERCE_PASSWORD"),
            payments_url=environment.url("PAYMENTS_URL", "http://127.0.0.1:8001"),
            payments_timeout_seconds=environment.number("PAYMENTS_TIMEOUT_SECONDS", 6, low=0.1, high=60),
            call_key=environment.secret(CALL_KEY),
            other_call_key=environment.other_secret(CALL_KEY),
            rendered=rendered_directory(environment),
            pool_size=int(environment.number("SHOP_POOL_SIZE", 8, low=1, high=100)),
            payment_methods=environment.payment_methods("SHOP_PAYMENT_METHODS"),
            reconcile_every_seconds=environment.number("SHOP_RECONCILE_SECONDS", 900, low=1, high=86_400),
            counts_clicks=environment.number("SHOP_CLICKS", 0, low=0, high=1) == 1,
            recommender_url=environment.url("SHOP_RECOMMENDATIONS", ""),
            trial=environment.trial("SHOP_RECOMMENDATIONS_TRIAL"),
        )
        environment.check()
        return settings


@dataclass(frozen=True, slots=True)
class PaymentsSettings:
    """Settings of `shop payments`."""

    listen: Listen
    ledger_dsn: str = field(repr=False)
    other_ledger_dsn: str = field(repr=False)
    call_key: str = field(repr=False)
    other_call_key: str = field(repr=False)
    psp_url: str
    psp_timeout_seconds: float
    psp_api_key: str = field(repr=False)
    psp_authority: str | None
    resolve_every_seconds: float
    reconcile_every_seconds: float
    pool_size: int
    takes_test_tokens: bool

    @classmethod
    def read(cls, variables: Mapping[str, str] | None = None) -> PaymentsSettings:
        """Read and validate the environment."""
        environment = Environment(variables)
        settings = cls(
            listen=Listen.read(environment, 8001),
            ledger_dsn=environment.dsn("LEDGER_DSN", "LEDGER_PASSWORD"),
            other_ledger_dsn=environment.other_dsn("LEDGER_DSN", "LEDGER_PASSWORD"),
            call_key=environment.secret(CALL_KEY),
            other_call_key=environment.other_secret(CALL_KEY),
            psp_url=environment.provider_url("PSP_URL", "http://127.0.0.1:8070"),
            psp_api_key=environment.text("PSP_API_KEY", "" if environment.in_lab else None),
            psp_authority=environment.text("PSP_AUTHORITY_FILE", "") or None,
            psp_timeout_seconds=environment.number("PSP_TIMEOUT_SECONDS", 3, low=0.05, high=60),
            resolve_every_seconds=environment.number("PAYMENTS_RESOLVE_SECONDS", 2, low=0.05, high=600),
            reconcile_every_seconds=environment.number("PAYMENTS_RECONCILE_SECONDS", 900, low=1, high=86_400),
            pool_size=int(environment.number("PAYMENTS_POOL_SIZE", 8, low=1, high=100)),
            takes_test_tokens=environment.in_lab,
        )
        environment.check()
        return settings


def rendered_directory(environment: Environment) -> Path:
    """Return the folder that `shop render-media` filled: `SHOP_RENDERED`, else the image's, else one under /tmp."""
    default = RENDERED_IN_IMAGE if (RENDERED_IN_IMAGE / "manifest.json").exists() else RENDERED_IN_DEVELOPMENT
    return Path(environment.text("SHOP_RENDERED", str(default)))
