"""Which definition to take, by declared rules, and why."""

from collections.abc import Sequence
from typing import Any

from churn.core.definitions.soundness import CHURNERS_SAFE, DRIFT_MOST, RATE_LEAST, RATE_MOST

REGRET_MOST = 0.2
"""One in five of those called lost comes back within 90 days: more, and the team calls people who never left."""


def recommendation(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The trial to take, with the reason in English and Chinese, and what speaks against each of the others.

    Only trials with enough churners and a sound base rate are compared. Of those whose regret within 90 days is at most
    `REGRET_MOST`, the one that is known earliest is best: the sooner an outcome is known, the more as-of dates teach.
    Where all have more regret, the least regret counts. Ties go to the better simple model.
    """
    against = {one["name"]: _against(one) for one in trials}
    sound = [one for one in trials if not against[one["name"]]]
    if not sound:
        return {
            "name": None,
            "en": "None of these definitions is sound on this history: "
            + "; ".join(f"{name}: {why}" for name, why in against.items()),
            "zh": "这些定义在现有历史数据上均不适用。",
            "against": against,
        }
    calm = [one for one in sound if _regret(one) <= REGRET_MOST]
    best = min(calm, key=_earliest) if calm else min(sound, key=lambda one: (_regret(one), _earliest(one)))
    return {"name": best["name"], **_why(best, calm=bool(calm)), "against": against}


def _against(one: dict[str, Any]) -> str:
    """Why a trial is not even compared; empty where nothing speaks against it."""
    if one["churners"] < CHURNERS_SAFE:
        return f"{one['churners']:,} churners, {CHURNERS_SAFE} would be safe"
    if not RATE_LEAST <= one["base_rate"] <= RATE_MOST:
        return f"{one['base_rate']:.1%} churn, wanted are {RATE_LEAST:.0%} to {RATE_MOST:.0%}"
    if one["base_rate_most"] > DRIFT_MOST * one["base_rate_least"]:
        return f"the base rate moves from {one['base_rate_least']:.1%} to {one['base_rate_most']:.1%} between dates"
    if one["no_model"]:
        return "no model can be trained and tested: " + one["no_model"].split(";", 1)[0]
    return ""


def _regret(one: dict[str, Any]) -> float:
    """Regret within 90 days; within 30 where the history ends before that, and otherwise as bad as can be."""
    return next((one[name] for name in ("regret_90", "regret_30") if one[name] is not None), 1.0)


def _earliest(one: dict[str, Any]) -> tuple[float, float]:
    return one["known_after_days"] if one["known_after_days"] is not None else float("inf"), -(one["auc"] or 0.0)


def _why(best: dict[str, Any], *, calm: bool) -> dict[str, str]:
    regret, known = _regret(best), best["known_after_days"]
    rule = (
        ("the earliest known of those", "其中最早得知")
        if calm
        else (f"the least of all, though above {REGRET_MOST:.0%}", f"为各定义中最低，但仍高于 {REGRET_MOST:.0%}")
    )
    return {
        "en": f"Take {best['name']}: {regret:.0%} of those it calls lost come back within 90 days ({rule[0]}), "
        f"{known:.0f} days after the last sign of life it is settled, {best['churners']:,} churners "
        f"({best['base_rate']:.1%}) can teach a model, and a simple one reaches AUC {best['auc']:.2f}.",
        "zh": f"建议采用 {best['name']}：被判定流失者中 {regret:.0%} 在 90 天内回来（{rule[1]}），距最后一次活动 "
        f"{known:.0f} 天可确认，共 {best['churners']:,} 个流失样本（{best['base_rate']:.1%}），"
        f"简单模型 AUC 为 {best['auc']:.2f}。",
    }
