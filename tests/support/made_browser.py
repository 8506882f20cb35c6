"""A tab of a browser for the pages' script: V8 without a browser around it (made_browser.js)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from py_mini_racer import MiniRacer

from shopsphere.foundation.paths import REPOSITORY

SCRIPT = REPOSITORY / "app/static/clicks.js"
YES, NO = "session=x; clicks=yes", "clicks=no"
VIEW = {"t": "view", "p": "tidal-rings-tee", "k": "t-shirts"}


class MadeBrowser:
    """One tab, page after page."""

    def __init__(self) -> None:
        self._v8 = MiniRacer()
        self._v8.eval(Path(__file__).with_suffix(".js").read_text())
        self._v8.eval(f"made.script = () => {{\n{SCRIPT.read_text()}\n}}; 0")

    def close(self) -> None:
        self._v8.close()

    def _do(self, call: str, *values: object) -> Any:
        return self._v8.eval(f"made.{call}({', '.join(json.dumps(value) for value in values)})")

    def without_chance(self) -> None:
        """Let all that it leaves to chance be the least there is."""
        self._v8.eval("Math.random = () => 0; 0")

    def open(self, page: dict[str, Any] | None = None, **more: Any) -> None:
        """Open a page; `cookie` says what the visitor has answered, `opposed` that their browser says no."""
        self._do("open", {**({"click": json.dumps(page)} if page else {}), **more})

    def pass_time(self, seconds: float) -> None:
        left = seconds * 1000
        while left := self._do("pass", left):
            pass

    def tell(self, name: str, **event: Any) -> None:
        """Let something happen to the page."""
        self._do("tell", name, event)

    def hide(self) -> None:
        self._v8.eval("document.hidden = true; made.tell('visibilitychange', {}); 0")

    def follow(self, *, to_shop: bool) -> None:
        """Click a link, to a page of the shop or to somewhere else."""
        self._v8.eval(f"made.tell('click', {{ target: {{ closest: () => {json.dumps(to_shop)} || null }} }}); 0")

    def submit(self, event: dict[str, Any] | None, *, formaction: bool = False) -> None:
        """Send a form; `formaction` is of the button that it is sent by."""
        click = json.dumps(json.dumps(event)) if event else "undefined"
        self._v8.eval(
            f"made.tell('submit', {{ target: {{ dataset: {{ click: {click} }} }},"
            f" submitter: {{ hasAttribute: () => {json.dumps(formaction)} }} }}); 0"
        )

    def choose(self, answer: str) -> None:
        self._v8.eval(f"made.choose('{answer}'); 0")

    def answer(self, status: int, retry_after: str | None = None) -> None:
        """Answer the request that waits; status 0 is a network that broke."""
        self._do("answer", status, retry_after)

    @property
    def says(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(str(self._v8.eval("made.says()")))
        return found

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of all requests so far."""
        return [json.loads(each["options"]["body"]) for each in self.says["asked"]]

    @property
    def last(self) -> dict[str, Any]:
        return self.asked[-1]
