"""Forms of a page as a browser without JavaScript has them: where they go, and what they send untouched."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from shopsphere.foundation.errors import NoAnswerError


class NoFormError(NoAnswerError):
    """A page has no such form."""


@dataclass
class Form:
    """A form with what a browser would send if nobody touched it.

    Attributes:
        action: path that it is sent to.
        method: `get` or `post`.
        fields: values by name.
    """

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "form":
            self.forms.append(Form(values["action"] or "", values.get("method") or "get"))
        elif tag == "input" and self.forms and (name := values.get("name")):
            if values.get("type") not in {"radio", "checkbox"} or "checked" in values:
                self.forms[-1].fields[name] = values.get("value") or ""
        elif tag == "select":
            self._select = values["name"] or ""
        elif tag == "option" and (self._select not in self.forms[-1].fields or "selected" in values):
            self.forms[-1].fields[self._select] = values.get("value") or ""


def form_in(html: str, action: str) -> Form:
    """Return the form of a page that is sent to `action`.

    Raises:
        NoFormError: the page has none.
    """
    parser = _Forms()
    parser.feed(html)
    for form in parser.forms:
        if form.action == action:
            return form
    raise NoFormError.build(
        "the page has no such form",
        expected=f"a form that is sent to {action}",
        found=", ".join(form.action for form in parser.forms) or "no form at all",
        action="look at the page with a browser: it may be a message of the shop, or its forms have changed",
    )
