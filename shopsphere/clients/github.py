"""GitHub: one comment of a pull request, and one issue, that are written again each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.clients.http import HttpService
from shopsphere.foundation.errors import UsageError

API = "https://api.github.com"
LABEL = "shopsphere-report"
PER_PAGE, PAGES = 100, 10
"""What is looked through: the first thousand comments, or reports."""
LARGEST_BODY = 60_000
"""Characters; GitHub takes 65,536."""
CUT = "\n\n… cut here; the whole is in the log of the run."
Part = dict[str, Any]


@dataclass(frozen=True)
class GitHub:
    """One repository, with the token of a workflow's run.

    Attributes:
        service: GitHub's API.
        repository: owner and name.
    """

    service: HttpService
    repository: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> GitHub:
        """Take repository and token from what GitHub gives a run.

        Raises:
            UsageError: this is no run of a workflow, or it was given no token.
        """
        missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not environment.get(name)]
        if missing:
            raise UsageError(
                f"no {' and no '.join(missing)}\n  expected: a run of a GitHub workflow that is given its own token\n"
                f"  found:    {', '.join(missing)} not set\n"
                "  do:       set `env: GITHUB_TOKEN: ${{ github.token }}` at the step (docs/ci.md)"
            )
        headers = {
            "Authorization": f"Bearer {environment['GITHUB_TOKEN']}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        url = environment.get("GITHUB_API_URL") or API
        return cls(HttpService("GitHub", url, headers), environment["GITHUB_REPOSITORY"])

    def comment(self, pull_request: int, name: str, body: str) -> None:
        """Write a comment of a pull request anew, or for the first time; there is one by each name.

        Raises:
            ServiceError: GitHub does not answer, or refuses.
        """
        comments = f"/issues/{pull_request}/comments"
        written = {"body": marked(name, body)}
        ours = list(self._ours(comments, {}, name))
        if ours:
            self._send("PATCH", f"/issues/comments/{ours[0]['id']}", written)
        else:
            self._send("POST", comments, written)
        for other in ours[1:]:  # two runs wrote a first one at the same time
            self._send("DELETE", f"/issues/comments/{other['id']}")

    def report(self, name: str, title: str, body: str, *, is_open: bool) -> None:
        """Write the issue of a name anew; it is opened when there is something to say, and closed when there is not.

        Raises:
            ServiceError: GitHub does not answer, or refuses.
        """
        query = {"labels": LABEL, "state": "all", "sort": "created", "direction": "asc"}
        written = {"title": title, "body": marked(name, body)}
        first = next(self._ours("/issues", query, name), None)
        if first:
            state = "open" if is_open else "closed"
            self._send("PATCH", f"/issues/{first['number']}", {**written, "state": state})
        elif is_open:
            self._send("POST", "/issues", {**written, "labels": [LABEL]})

    def _ours(self, path: str, query: Mapping[str, str], name: str) -> Iterator[Part]:
        """Yield what a workflow wrote under a name. Anybody can write the mark, so its author counts too."""
        for page in range(1, PAGES + 1):
            asked = {**query, "per_page": str(PER_PAGE), "page": str(page)}
            entries: list[Part] = self._send("GET", path, query=asked)
            for each in entries:
                is_bots = (each.get("user") or {}).get("type") == "Bot"
                if is_bots and "pull_request" not in each and (each.get("body") or "").startswith(mark(name)):
                    yield each
            if len(entries) < PER_PAGE:
                return

    def _send(self, method: str, path: str, body: Part | None = None, query: dict[str, str] | None = None) -> Any:
        answer = self.service.request(method, f"/repos/{self.repository}{path}", body=body, query=query)
        if not answer.is_success:
            raise UsageError(
                f"GitHub knows no {path} in {self.repository}\n"
                "  expected: an issue or a pull request of the repository\n"
                f"  found:    {answer.status_code}\n  do:       correct the number, or give the job the permission"
            )
        return answer.json() if answer.content else None


def mark(name: str) -> str:
    """Return the line, which nobody sees, by which a comment or an issue is found again."""
    return f"<!-- shopsphere: {name} -->\n"


def marked(name: str, body: str) -> str:
    """Return a body with its mark, cut to what GitHub takes."""
    cut = body if len(body) <= LARGEST_BODY else f"{body[: LARGEST_BODY - len(CUT)]}{CUT}"
    return mark(name) + cut
