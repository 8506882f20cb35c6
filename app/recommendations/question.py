"""What a page asks the recommender, and what it is answered: two small JSON objects, with a bound on each part."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from app.recommendations.because import Recommendation
from app.recommendations.bounds import LARGEST_NUMBER, MOST_ASKED, MOST_VIEWED
from app.recommendations.groups import NAME

PATH = "/row"
LARGEST_QUESTION = 1024
"""Bytes of a question; the largest one has some 250."""
LARGEST_ANSWER = 4096
"""Bytes of an answer; the largest one has some 1,400."""
Number = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_NUMBER)]


class Page(StrEnum):
    """Which page asks."""

    HOME = "home"
    PRODUCT = "product"
    CART = "cart"


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What goes with what a visitor looks at.

    Attributes:
        page: that shows the row.
        count: products of the row.
        viewed: numbers of the visitor's products, the latest one last; none of them is answered.
        product: that the page shows; looked at later than all others.
        group: of an experiment, which is counted; empty for none.
    """

    page: Page
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_ASKED)]
    viewed: Annotated[tuple[Number, ...], msgspec.Meta(max_length=MOST_VIEWED)] = ()
    product: Number | None = None
    group: Annotated[str, msgspec.Meta(pattern=f"^({NAME.pattern})?$", max_length=40)] = ""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row, the best product first."""

    row: Annotated[tuple[Recommendation, ...], msgspec.Meta(max_length=MOST_ASKED)]


_QUESTIONS, _ANSWERS = msgspec.json.Decoder(Question), msgspec.json.Decoder(Answer)


def question_of(body: bytes) -> Question:
    """Return the question of a body.

    Raises:
        ValueError: it is none.
    """
    try:
        return _QUESTIONS.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("expected a question as app/recommendations/question.py has it, found another body") from error


def answer_of(body: bytes) -> Answer:
    """Return the answer of a body.

    Raises:
        ValueError: it is none, or has a number that no product has.
    """
    try:
        answer = _ANSWERS.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError("expected an answer as app/recommendations/question.py has it, found another body") from error
    if all(1 <= each.product <= LARGEST_NUMBER for each in answer.row):
        return answer
    raise ValueError(f"expected product numbers from 1 to {LARGEST_NUMBER}, found another one")
