"""The legal pages of a region: one file each in a set of texts, filled in with the facts of the region's seller.

A set is a folder of `texts`. A file is named `NN-name.html`: NN gives the order of the links, name the address. An
owner's lawyer changes the files; who the seller is comes from the topology and never stands in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import ShopError

TEXTS = Path(__file__).parent / "texts"
_FILE = re.compile(r"^\d\d-(?P<slug>[a-z-]+)\.html$")
_TITLE = re.compile(r"{% block name %}(?P<title>[^{<]+){% endblock %}")


@dataclass(frozen=True, slots=True)
class LegalPage:
    """A page, and the template that it is made from."""

    slug: str
    title: str
    template: str

    @property
    def path(self) -> str:
        """Its address."""
        return f"/legal/{self.slug}"


class LegalPages:
    """All legal pages of a region, in order.

    Args:
        texts: name of the set.

    Raises:
        ShopError: there is no such set, or one of its files has no title.
    """

    def __init__(self, texts: str) -> None:
        files = sorted((TEXTS / texts).glob("*.html"))
        if not files:
            raise ShopError.build(
                "the legal texts of this region are missing",
                expected=f"a set of {', '.join(sorted(each.name for each in TEXTS.iterdir()))}",
                found=f"{texts!r}",
                action="set legal_texts of the region's storefront in the topology to one of these",
            )
        self.all: tuple[LegalPage, ...] = tuple(_page(texts, file) for file in files)
        self.by_slug: Mapping[str, LegalPage] = {page.slug: page for page in self.all}

    def address(self, slug: str) -> str:
        """Return the address of a page that every set has."""
        return self.by_slug[slug].path


def _page(texts: str, file: Path) -> LegalPage:
    name, title = _FILE.match(file.name), _TITLE.search(file.read_text(encoding="utf-8"))
    if name is None or title is None:
        raise ShopError.build(
            f"the legal text {file} cannot be used",
            expected="a file NN-name.html with {% block name %}Title{% endblock %}",
            found="another name" if name is None else "no title",
            action="correct the file",
        )
    return LegalPage(name["slug"], title["title"], f"{texts}/{file.name}")
