"""The page with all that a stack may declare: each type, each of its fields, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policies.listing.edge import COMPONENTS
from policies.listing.shape import ListedType, Named, Only, Shape
from policies.listing.table import LISTED, WHY_NO_FIELD, WHY_NO_TYPE

HEAD = """# What a stack may declare

Made from `policies/listing/` by `python -m policies.catalogue --write`; a test compares it with the table.

Whatever is not on this page is refused (RES-007): another type, another field of a type, or another value where only
some are listed. `[]` stands for each entry of a list, `*` for a name that its author chooses. To have something added,
add it to the table with a reason that says why no data can leave by it, and a case to `tests/model/policy_cases/`.
"""
WHY_TYPES = """## Types that are not listed, and why

A group or a provider stands for all of its types that are not above.
"""
WHY_FIELDS = """## Fields that are not listed, and why

By their own name, wherever they would stand.
"""
MADE_OF_OTHERS = """## Components

Made of resources that are judged themselves.
"""


def listing_page() -> str:
    """Return the page."""
    parts = [HEAD]
    for token, listed in LISTED.items():
        parts += [f"## {token}\n", f"{listed.reason}\n", _table(("field", "why it may be there"), fields_of(listed))]
    parts += [MADE_OF_OTHERS, "".join(f"- {each}\n" for each in COMPONENTS)]
    parts += [WHY_TYPES, _table(("group or provider", "why not"), WHY_NO_TYPE.items())]
    parts += [WHY_FIELDS, _table(("field", "why not"), WHY_NO_FIELD.items())]
    return "\n".join(parts)


def fields_of(listed: ListedType) -> Iterator[tuple[str, str]]:
    """Yield each field of a type by its whole path, with its reason and the values that it may have."""
    if isinstance(listed.fields, Named):
        yield "*", listed.fields.reason
    else:
        yield from _fields("", listed.fields)


def _fields(path: str, shape: Shape) -> Iterator[tuple[str, str]]:
    match shape:
        case str():
            yield path, shape
        case Only(reason, values):
            yield path, f"{' or '.join(f'`{each}`' for each in values)} alone: {reason}"
        case Named(reason):
            yield f"{path}.*", reason
        case tuple():
            yield from _fields(f"{path}[]", shape[0])
        case Mapping() if not shape:
            yield path, "nothing in it"
        case _:
            for name, below in shape.items():
                yield from _fields(f"{path}.{_quoted(name)}".removeprefix("."), below)


def _quoted(name: str) -> str:
    return f'"{name}"' if "." in name or "/" in name else name


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| `{name}` | {why} |" for name, why in rows)]
    return "\n".join([*lines, ""])
