"""Finds weights by trying some, on days of the training file and on the validation file; never on the test file.

What is made as high as it can be is MRR@20 as one of two asks (judging_rows.py): Serenade's evaluator, or the shop, of
visitors who go on to another product; or the mean of both, which the weights in the code are from.

Trial n is drawn by the seed and n: the first half anywhere, the second half near one of the ten best so far. What was
tried is written down, so a run that ends goes on where it was.
"""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from judging_rows import as_serenade, as_the_shop, going_on, of_fold, ranks
from serenade import Fold, folds

from app.recommendations.index import SessionIndex
from app.recommendations.neighbours import TUNED, Weighting

SCRATCH = Path(__file__).resolve().parents[1] / "results" / "scratch" / "recommendations-trials.jsonl"
ASKERS = ("both", "shop", "serenade")
Indexes = list[tuple[Fold, SessionIndex]]
BEST = 10
RANGES: dict[str, tuple[float, float]] = {
    "last": (1, 8), "newest": (20, 1500), "neighbours": (20, 1000), "position_decay": (0.1, 1.0),
    "match_decay": (0.1, 1.0), "half_life_days": (1.0, 365.0), "length_power": (0.0, 1.0), "rarity_power": (0.0, 5.0),
}  # fmt: skip
BY_FACTOR = {"newest", "neighbours", "half_life_days"}
WHOLE = {"last", "newest", "neighbours"}
NEAR = 0.12
"""Part of a range that a trial near another one is away from it, as a standard deviation."""


def place_of(name: str, value: float) -> float:
    """Where in its range a value is (0 to 1)."""
    low, high = RANGES[name]
    return float(np.log(value / low) / np.log(high / low)) if name in BY_FACTOR else (value - low) / (high - low)


def value_at(name: str, place: float) -> float:
    low, high = RANGES[name]
    place = min(max(place, 0.0), 1.0)
    value = low * (high / low) ** place if name in BY_FACTOR else low + place * (high - low)
    return round(value) if name in WHOLE else round(value, 3)


def drawn(seed: int, number: int, trials: int, best: list[dict[str, Any]]) -> Weighting:
    """The weights of a trial."""
    random = np.random.default_rng([seed, number])
    if number < trials // 2 or not best:
        places = {name: random.random() for name in RANGES}
    else:
        near = best[int(random.integers(len(best)))]["weighting"]
        places = {name: place_of(name, near[name]) + random.normal(0, NEAR) for name in RANGES}
    weights: dict[str, Any] = {name: value_at(name, place) for name, place in places.items()}
    return replace(TUNED, **weights)


def tried(weighting: Weighting, indexes: Indexes, asker: str) -> dict[str, float]:
    """MRR@20 of each fold, as one of ASKERS asks."""
    if asker == "both":
        one, other = tried(weighting, indexes, "shop"), tried(weighting, indexes, "serenade")
        return {name: round((one[name] + other[name]) / 2, 4) for name in one}
    if asker == "serenade":
        return {fold.name: mean(ranks(as_serenade(index, weighting), fold.asked)) for fold, index in indexes}
    return {fold.name: mean(ranks(as_the_shop(index, weighting), going_on(fold.asked))) for fold, index in indexes}


def mean(reciprocal: list[float]) -> float:
    return round(fmean(reciprocal), 4)


def tune(trials: int, seed: int, seconds: float, asker: str) -> dict[str, Any] | None:
    """Try until all are tried or the time is over; returns the result, None when there is more to try."""
    SCRATCH.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.loads(line) for line in SCRATCH.read_text().splitlines()] if SCRATCH.exists() else []
    named = {"seed": seed, "of": trials, "asker": asker}
    known = [line for line in lines if named.items() <= line.items()]
    indexes = [(fold, of_fold(fold)) for fold in folds()]
    end = time.monotonic() + seconds
    for number in range(len(known), trials):
        if time.monotonic() > end:
            print(f"{number} of {trials} are tried; the same command goes on")
            return None
        begun = time.process_time()
        weighting = drawn(seed, number, trials, sorted(known, key=score, reverse=True)[:BEST])
        line = {**named, "number": number, "weighting": asdict(weighting),
                "mrr": tried(weighting, indexes, asker), "cpu": round(time.process_time() - begun, 2)}  # fmt: skip
        known.append(line)
        with SCRATCH.open("a") as sink:
            sink.write(json.dumps(line) + "\n")
    first = sorted(known, key=score, reverse=True)[:BEST]
    best = Weighting(**first[0]["weighting"])
    return {
        **named, "predictions": {fold.name: len(fold.asked) for fold, _ in indexes}, "weighting": asdict(best),
        "best": {each: tried(best, indexes, each) for each in ASKERS}, "mean": round(score(first[0]), 4),
        "tenth_best_mean": round(score(first[-1]), 4),
        "in_the_code": {each: tried(TUNED, indexes, each) for each in ASKERS},
        "cpu_seconds": round(sum(line["cpu"] for line in known)),
    }  # fmt: skip


def score(line: dict[str, Any]) -> float:
    return fmean(line["mrr"].values())
