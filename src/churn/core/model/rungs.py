"""Rungs: models of growing complexity that learn from the same rows, each if there are churners enough for it."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, make_dataclass
from functools import partial
from inspect import Parameter, signature
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from churn.core.model import bg_nbd, boosted, frequency, logistic, own_mean, rule
from churn.core.model.earlier import earlier
from churn.core.model.enough import FEW, MANY, Least
from churn.core.model.later import Trained, trained
from churn.core.model.parts import Learning, Part, few, learning
from churn.words.errors import NotEnoughData

ORDER = ("rule", "own_mean", "logistic_rfm", "bg_nbd", "lightgbm", "blend")
"""From the simplest to the most complex."""
KINDS: dict[str, ModuleType] = {
    "rule": rule,
    "own_mean": own_mean,
    "logistic_rfm": logistic,
    "bg_nbd": bg_nbd,
    "lightgbm": boosted,
}
"""The module of each rung but the last, which is made of the others."""
NEEDED: dict[str, Least] = {
    "rule": FEW,
    "own_mean": FEW,
    "logistic_rfm": Least(200, 20, 0),
    "bg_nbd": FEW,
    "lightgbm": MANY,
}
"""What each rung needs (docs/decisions/0020-the-ladder.md)."""


def _section_of(function: Callable[..., Any]) -> type:
    """A dataclass whose fields are the keyword-only arguments of the function: its section of the configuration."""
    keywords = [p for p in signature(function).parameters.values() if p.kind is Parameter.KEYWORD_ONLY]
    return make_dataclass(
        function.__module__.rpartition(".")[2], [(p.name, p.annotation) for p in keywords], frozen=True
    )


Rungs = make_dataclass("Rungs", [(name, _section_of(module.fit)) for name, module in KINDS.items()], frozen=True)
"""The sections of all rungs, checked like every other section."""


class Climbed(NamedTuple):
    """The rungs that were fitted, by name, why the others were not, and what a blend may learn its weights from.

    `judging` is the calibration part, `blending` the validation part; `margins` holds those of each rung in the latter,
    by models that have not seen it. `names` and `vocabulary` are those of all features;
    `later` is as in `churn.core.model.parts.Learning`. `before`: the same rungs as of earlier dates, which judge where
    the calibration part has few churners; none of these was learnt again from newer rows.
    """

    fitted: dict[str, Trained]
    skipped: dict[str, dict[str, str]]
    judging: "Judging"
    blending: "Judging"
    margins: dict[str, np.ndarray]
    names: tuple[str, ...]
    vocabulary: dict[str, list[str]]
    later: np.ndarray
    before: "tuple[Climbed, ...]" = ()


@dataclass(frozen=True)
class Judging:
    """Rows to judge by: outcomes, how many snapshots each row stands for, the number of its customer, and its date.

    `held_out` says whether models may have been learnt without them: there were churners enough for that.
    """

    churned: np.ndarray
    weights: np.ndarray
    customers: np.ndarray
    as_of_us: np.ndarray
    held_out: bool = True


def joined(parts: list[Judging]) -> Judging:
    """The rows of several dates as one."""
    churned, weights, customers, as_of_us = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("churned", "weights", "customers", "as_of_us")
    )
    return Judging(churned, weights, customers, as_of_us, all(part.held_out for part in parts))


def sections(rungs: Any) -> dict[str, dict[str, Any]]:
    """The keyword arguments of each rung, from `Rungs` or from a mapping of mappings."""
    return dict(rungs) if isinstance(rungs, dict) else asdict(rungs)


def climbed(
    features: pa.Table | Iterable[pa.Table],
    snapshots: pa.Table,
    split: pa.Table,
    sections: dict[str, dict[str, Any]],
    *,
    churners_judged: int,
) -> Climbed:
    """Every rung that there are churners enough for, learnt from the same rows: those of the boosted trees' section.

    Where the calibration part has fewer churners than `churners_judged`, the same at earlier dates.
    """
    trees, horizon = sections["lightgbm"], frequency.horizon_days(split)
    known = learning(features, snapshots, split, rows_most=trees["rows_most"], seed=trees["seed"], least=FEW)
    once = {name: {**section, **({"refit": False} if "refit" in section else {})} for name, section in sections.items()}
    can = {name for name, least in NEEDED.items() if not lacking(known, least)}
    then = earlier(
        known,
        split,
        churners=churners_judged,
        usable=lambda one: not any(lacking(one, NEEDED[name]) for name in can),
    )
    before = tuple(_with_trees([one], _without_trees(one, once, horizon), once) for one in then)
    small, held = _without_trees(known, sections, horizon), [known]
    del known
    return _with_trees(held, small, sections)._replace(before=before)


def _without_trees(known: Learning, sections: dict[str, dict[str, Any]], horizon: float) -> Climbed:
    fitted: dict[str, Trained] = {}
    skipped: dict[str, dict[str, str]] = {}
    margins: dict[str, np.ndarray] = {}
    for name, module in KINDS.items():
        reason = lacking(known, NEEDED[name])
        if reason or module is boosted:
            skipped |= {name: reason} if reason else {}
            continue
        try:
            fitted[name], margins[name] = _small(known, module, sections[name], horizon)
        except NotEnoughData as fault:
            skipped[name] = {"en": str(fault), "zh": "数据中没有所需的特征"}
    judging, blending = (_judging(known, name) for name in ("calibration", "validation"))
    return Climbed(fitted, skipped, judging, blending, margins, known.names, known.vocabulary, known.later)


def _with_trees(held: list[Learning], small: Climbed, sections: dict[str, dict[str, Any]]) -> Climbed:
    """The same with boosted trees. `held` is emptied, so that the matrix is gone once its rows are in bins."""
    known = held.pop()
    if "lightgbm" in small.skipped:
        return small
    x, rows = known.parts["validation"].x, boosted.binned_for(known, sections["lightgbm"])
    del known
    done, body = boosted.grown(rows, sections["lightgbm"])
    margins = boosted.of_text(body, small.names, x)
    return small._replace(fitted=small.fitted | {"lightgbm": done}, margins=small.margins | {"lightgbm": margins})


def lacking(known: Learning, least: Least) -> dict[str, str]:
    """What a rung needs and does not have, in words; empty where there is enough."""
    wanted = {"train": (least.rows, least.each)} | dict.fromkeys(("validation", "calibration"), (0, least.judging))
    for name, (rows, each) in wanted.items():
        part = known.parts[name]
        churners, n = int(part.churned.sum()), len(part.churned)
        for what, zh, have, need in (
            ("churners", "流失样本", churners, each),
            ("stayers", "留存样本", n - churners, each),
            ("snapshots", "样本", n, rows),
        ):
            if have < need:
                return {
                    "en": f"{have:,} {what} in the {name} part of the {need:,} that it needs",
                    "zh": f"{PARTS_ZH[name]}只有 {have:,} 个{zh}，需要 {need:,} 个",
                }
    return {}


PARTS_ZH = {"train": "训练集", "validation": "验证集", "calibration": "校准集"}


def _small(known: Learning, module: ModuleType, section: dict[str, Any], horizon: float) -> tuple[Trained, np.ndarray]:
    """A rung that is learnt in one go, and its margins of the validation part by a model of the train part."""
    taken: dict[str, Any] = {name: section[name] for name in ("roles", "l2", "features_used") if name in section}
    if "roles" in section:
        taken["horizon_days"] = horizon
    learn = partial(module.learnt, known, **taken)
    rows_most = section.get("rows_most")
    done = trained(
        known,
        lambda rows: learn(fewer(rows, rows_most, section.get("seed", 0))),
        module.margins,
        refit=section.get("refit", False),
        calibration=section["calibration"],
        parameters={name: list(v) if isinstance(v, tuple) else v for name, v in section.items() if name != "kind"},
    )
    early = learn(fewer(known.parts["train"], rows_most, section.get("seed", 0)))
    return done, module.margins(early, known.columns(known.parts["validation"], early.features))


def fewer(rows: Part, most: int | None, seed: int) -> Part:
    """At most so many of the rows, drawn by lot."""
    if most is None or len(rows.rows) <= most:
        return rows
    drawn = np.sort(np.random.default_rng(seed).choice(len(rows.rows), most, replace=False))
    weights = None if rows.weights is None else rows.weights[drawn]
    return Part(rows.matrix, rows.rows[drawn], rows.churned[drawn], rows.as_of_us[drawn], weights)


def _judging(known: Learning, name: str) -> Judging:
    part = known.parts[name]
    codes = known.customer_id.combine_chunks().dictionary_encode().indices.to_numpy()[part.rows]
    weights = np.ones(len(codes)) if part.weights is None else part.weights
    return Judging(part.churned, weights, codes, part.as_of_us, not few(part))
