"""What is counted, for /metrics, in Prometheus' text format. Nothing of a visitor is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.clicks.reasons import Reason
from app.gauges import gauges
from app.recommendations.because import Because
from app.recommendations.groups import MOST_GROUPS
from app.recommendations.question import Page, Question

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1)
"""Upper bounds of the times that are told apart (s)."""
OTHER = "other"
"""Stands for groups beyond MOST_GROUPS: a name that somebody makes up is no new line for ever."""


@dataclass(slots=True)
class Counts:
    """Counters since the start of the process.

    Attributes:
        pages: questions that were answered, by page.
        groups: the same, by group of an experiment.
        products: that were answered, by why.
        empty: answers without a product.
        refused: questions, by reason.
        faults: questions that were not answered because of a fault of ours.
    """

    pages: Counter[Page] = field(default_factory=Counter)
    groups: Counter[str] = field(default_factory=Counter)
    products: Counter[Because] = field(default_factory=Counter)
    empty: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    faults: int = 0
    seconds: float = 0.0
    within: Counter[float] = field(default_factory=Counter)

    def answered(self, question: Question, products: Counter[Because], seconds: float) -> None:
        """Count an answer that took so long (s)."""
        self.pages[question.page] += 1
        if question.group:
            known = question.group in self.groups or len(self.groups) < MOST_GROUPS
            self.groups[question.group if known else OTHER] += 1
        self.products.update(products)
        self.empty += not products
        self.seconds += seconds
        self.within[next((bound for bound in BUCKETS if seconds <= bound), float("inf"))] += 1

    def text(self, now: Mapping[str, float | None]) -> str:
        """Return everything as text; `now` are values of this moment by name."""
        return "".join(
            (
                *_by_label("recommend_answers_total", "page", {each.value: self.pages[each] for each in Page}),
                *_by_label("recommend_groups_total", "group", self.groups),
                *_by_label(
                    "recommend_products_total", "because", {each.name.lower(): self.products[each] for each in Because}
                ),
                *_by_label("recommend_refused_total", "reason", {each.value: self.refused[each] for each in Reason}),
                f"# TYPE recommend_empty_total counter\nrecommend_empty_total {self.empty}\n",
                f"# TYPE recommend_faults_total counter\nrecommend_faults_total {self.faults}\n",
                *self._histogram("recommend_answer_seconds"),
                gauges(now),
            )
        )

    def _histogram(self, name: str) -> list[str]:
        lines, until = [f"# TYPE {name} histogram\n"], 0
        for bound in BUCKETS:
            until += self.within[bound]
            lines.append(f'{name}_bucket{{le="{bound:g}"}} {until}\n')
        count = until + self.within[float("inf")]
        return [*lines, f'{name}_bucket{{le="+Inf"}} {count}\n{name}_sum {self.seconds:g}\n{name}_count {count}\n']


def _by_label(name: str, label: str, values: Mapping[str, int]) -> list[str]:
    counted = [f'{name}{{{label}="{key}"}} {value}\n' for key, value in values.items()]
    return [f"# TYPE {name} counter\n", *counted]
