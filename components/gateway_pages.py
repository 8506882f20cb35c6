"""The gateway's own pages: what a customer reads when the shop gives no answer, or is not asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

RETRY_AFTER_SECONDS = 5
"""A moved or restarted shop answers within seconds."""
RATE_WINDOW_SECONDS = 10
FORM_WINDOW_SECONDS = 60
"""The windows of the limits per source: a refused customer is taken again when the window has passed."""
_NOTHING_HAPPENED = "Nothing was charged or ordered."


@dataclass(frozen=True)
class GatewayPage:
    """One page.

    Attributes:
        name: of its file.
        status: HTTP status.
        title: what happened.
        advice: what it means for the customer, and what to do now.
        retry_after: seconds after which a customer may come again; None where coming again changes nothing.
    """

    name: str
    status: int
    title: str
    advice: str
    retry_after: int | None = None


MOVING = GatewayPage(
    "moving.html", 503, "One moment",
    f"We are moving to another data centre. {_NOTHING_HAPPENED} Please go back and send it again in a few seconds: "
    "it will be taken once, however often you send it.",
    RETRY_AFTER_SECONDS,
)  # fmt: skip
TOO_MANY_FORMS = GatewayPage(
    "too-many-forms.html", 429, "Too many tries",
    f"This form was sent too often from your connection. {_NOTHING_HAPPENED} Please wait a minute, then send it again.",
    FORM_WINDOW_SECONDS,
)  # fmt: skip
NO_LENGTH = GatewayPage(
    "411.html", 411, "This form came without its length", "Please go back and send it from our own page."
)
_UNHEARD = (
    "We have not heard the end of it. If you were sending an order, look at your orders before you send it again: "
    "the same form is taken once, however often you send it."
)
ERROR_PAGES = (
    GatewayPage("400.html", 400, "We do not understand this address", "Please start again from our first page."),
    GatewayPage("403.html", 403, "This is not open here", "Please start again from our first page."),
    GatewayPage("404.html", 404, "We cannot find this page", "It may have moved, or never existed."),
    GatewayPage("408.html", 408, "That took too long", "Your request did not arrive in time. Please send it again."),
    GatewayPage("413.html", 413, "That is more than we can take", "Shorten what you entered and send it again."),
    GatewayPage(
        "429.html", 429, "That was very fast",
        "Too many requests came from your connection. Please wait a few seconds, then go on.", RATE_WINDOW_SECONDS,
    ),
    GatewayPage("500.html", 500, "Something broke on our side", _UNHEARD, RETRY_AFTER_SECONDS),
    GatewayPage("502.html", 502, "The shop gave no clear answer", _UNHEARD, RETRY_AFTER_SECONDS),
    GatewayPage(
        "503.html", 503, "One moment, please",
        # HAProxy's own 503 means that no connection to the shop came about: the form has reached nobody.
        f"The shop does not answer here just now. {_NOTHING_HAPPENED} We are leading you to another data centre: "
        "please try again in a few seconds.", RETRY_AFTER_SECONDS,
    ),
    GatewayPage("504.html", 504, "The shop takes too long", _UNHEARD, RETRY_AFTER_SECONDS),
)  # fmt: skip
"""In place of HAProxy's bare pages, by the statuses that it answers with by itself."""

PAGES = (*ERROR_PAGES, MOVING, TOO_MANY_FORMS, NO_LENGTH)


def page_files() -> dict[str, str]:
    """Return the text of every page by the name of its file."""
    templates = Environment(loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined, autoescape=True)
    template = templates.get_template("gateway_page.html.j2")
    return {page.name: template.render(page=page) for page in PAGES}
