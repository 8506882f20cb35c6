"""Serenade's public sessions: what to learn from, and what comes next in sessions of the day after."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.recommendations.bounds import MOST_VIEWED
from app.recommendations.clicks import Clicks

ARCHIVE = Path(__file__).resolve().parent / "data" / "example.zip"
SHA256 = "07da0ca33ae1e672c7abb41b333ba8abd872048d41b9e1f3e229e97e7d87909b"
FOLDS = 3
"""Last days of the training file that stand in for the day after, each with all sessions before it."""
MOST_PREDICTIONS = 1100
"""Of one fold: about as many as the validation file has."""
DAY = 86_400


@dataclass(frozen=True)
class Asked:
    """The products of a session until now, the latest one last, and the next one."""

    viewed: tuple[int, ...]
    next: int


@dataclass(frozen=True)
class Fold:
    """What is known, and what is asked then."""

    name: str
    clicks: Clicks
    now: int
    asked: tuple[Asked, ...]


def read(part: str) -> Clicks:
    """The clicks of `train`, `valid` or `test`; its products are numbered from 0, ours from 1."""
    content = ARCHIVE.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise SystemExit(f"{ARCHIVE} is another file than was measured")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        table = np.loadtxt(io.BytesIO(archive.read(f"{part}.txt")), skiprows=1)
    return Clicks(
        table[:, 0].astype(np.uint64), table[:, 1].astype(np.int32) + 1, np.rint(table[:, 2]).astype(np.int64)
    )


def told(name: str, clicks: Clicks, later: Clicks, most: int | None = None, seed: int = 1) -> Fold:
    """What comes next at each click of later sessions; of `most` predictions, in sessions drawn by the seed."""
    sessions: dict[int, list[tuple[int, int]]] = {}
    columns = (later.keys.tolist(), later.products.tolist(), later.times.tolist())
    for key, product, time in zip(*columns, strict=True):
        sessions.setdefault(key, []).append((time, product))
    order = np.random.default_rng(seed).permutation(sorted(sessions)).tolist() if most else sorted(sessions)
    asked: list[Asked] = []
    for key in order:
        products = [product for _, product in sorted(sessions[key], key=lambda click: click[0])]
        asked += [Asked(tuple(products[:at]), products[at]) for at in range(1, len(products))]
        if most and len(asked) >= most:
            break
    return Fold(name, clicks, int(clicks.times.max()), tuple(asked[:most]))


def folds() -> list[Fold]:
    """The folds that weights are chosen by: days of `train`, and `valid`. `test` is not looked at."""
    train = read("train")
    ended = dict[int, int]()
    for key, time in zip(train.keys.tolist(), train.times.tolist(), strict=True):
        ended[key] = max(ended.get(key, 0), time)
    last = np.array([ended[key] for key in train.keys.tolist()])
    until = int(last.max())
    made = []
    for back in range(FOLDS, 0, -1):
        before, day = last <= until - back * DAY, (last > until - back * DAY) & (last <= until - (back - 1) * DAY)
        made.append(told(f"train, day -{back}", part(train, before), part(train, day), MOST_PREDICTIONS))
    return [*made, told("valid", train, read("valid"))]


def part(clicks: Clicks, chosen: NDArray[np.bool_]) -> Clicks:
    return Clicks(clicks.keys[chosen], clicks.products[chosen], clicks.times[chosen])


def remembered(viewed: tuple[int, ...]) -> tuple[int, ...]:
    """What the cookie has of a visit: the latest products, each once."""
    return tuple(dict.fromkeys(reversed(viewed)))[:MOST_VIEWED][::-1]
