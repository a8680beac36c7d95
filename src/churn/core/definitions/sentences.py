"""What a definition of churn says, in plain words."""

from churn.core.dataset import Noun
from churn.core.definitions.definition import Definition


def churn_in_words(definition: Definition, nouns: dict[str, Noun]) -> dict[str, str]:
    """What the definition says, as a sentence a language, with the data set's nouns where it has some.

    >>> from churn.core.dataset import ROLE_NOUNS
    >>> churn_in_words(Definition("inactivity", 0, 28, live_days=90, roles=("purchase",)), ROLE_NOUNS)["en"]
    'Customers with a purchase in the 90 days before the as-of date; leaving means no purchase in the 28 days after it.'
    """
    words = [nouns[role] for role in definition.roles]
    return SENTENCES[definition.kind](definition, words)


def _inactivity(definition: Definition, words: list[Noun]) -> dict[str, str]:
    en, zh = _either(words)
    live = definition.live_days
    before = f"in the {live} days before the as-of date" if live else "at any time before the as-of date"
    since = f"截至日前 {live} 天内" if live else "截至日前"
    after = _outcome_window(definition)
    return {
        "en": f"Customers with {_with_article(en)} {before}; leaving means no {en} {after['en']}.",
        "zh": f"{since}有过{zh}的客户；{after['zh']}没有{zh}即视为流失。",
    }


def _contract(definition: Definition, words: list[Noun]) -> dict[str, str]:
    en, zh = _either(words)
    after, grace = _outcome_window(definition), definition.grace_days
    kept = f" that is not undone within {grace} days" if grace else ""
    undone = f"且未在 {grace} 天内撤销" if grace else ""
    return {
        "en": f"Customers with {_with_article(en)} before the as-of date who have not cancelled; "
        f"leaving means a cancellation {after['en']}{kept}.",
        "zh": f"截至日前有过{zh}且未解约的客户；{after['zh']}解约{undone}即视为流失。",
    }


def _collapse(definition: Definition, words: list[Noun]) -> dict[str, str]:
    en, zh = " and ".join(noun.many for noun in words), "和".join(noun.zh for noun in words)
    what, zh_what = (
        (f"the number of {en}", f"{zh}次数") if definition.measure == "events" else (f"use ({en})", f"{zh}量")
    )
    share, days, normal = f"{definition.share:.0%}", definition.for_days, definition.normal_days
    after = _outcome_window(definition)
    return {
        "en": f"Customers of at least {normal} days whose level is normal at the as-of date; leaving means that {what} "
        f"over {days} days falls below {share} of the customer's own level of the {normal} days before, {after['en']}.",
        "zh": f"截至日前至少 {normal} 天的客户且活跃正常；{after['zh']}{zh_what}连续 {days} 天低于本人此前 {normal} "
        f"天水平的 {share} 即视为流失。",
    }


def _cadence(definition: Definition, words: list[Noun]) -> dict[str, str]:
    en, zh = _either(words)
    times, (least, most) = f"{definition.times:g}", definition.silence_days
    after = _outcome_window(definition)
    return {
        "en": f"Customers with {definition.least_gaps} gaps or more between days with {_with_article(en)}, who have "
        f"not been silent for too long at the as-of date; leaving means a silence of {times} times the customer's "
        f"usual gap (at least {least} and at most {most} days) that is reached {after['en']}.",
        "zh": f"有至少 {definition.least_gaps} 次{zh}间隔且截至日未沉默过久的客户；{after['zh']}沉默达到本人通常间隔的 "
        f"{times} 倍（{least} 至 {most} 天）即视为流失。",
    }


def _disappeared(definition: Definition, _words: list[Noun]) -> dict[str, str]:
    end = definition.gap_days + definition.horizon_days
    return {
        "en": f"Customers on the last list before the as-of date; leaving means being absent from the last list "
        f"of the {end} days after it.",
        "zh": f"截至日前最近一次名单上的客户；其后 {end} 天内的最近一次名单上不再出现即视为流失。",
    }


def _either(words: list[Noun]) -> tuple[str, str]:
    return " or ".join(noun.one for noun in words), "或".join(noun.zh for noun in words)


def _with_article(noun: str) -> str:
    # No u: "a use" is more common among what customers do than any word that wants "an" before it.
    return f"{'an' if noun[0].lower() in 'aeio' else 'a'} {noun}"


def _outcome_window(definition: Definition) -> dict[str, str]:
    gap, horizon = definition.gap_days, definition.horizon_days
    if not gap:
        return {"en": f"in the {horizon} days after it", "zh": f"其后 {horizon} 天内"}
    return {
        "en": f"in the {horizon} days that begin {gap} days after it",
        "zh": f"其后第 {gap + 1} 天起的 {horizon} 天内",
    }


SENTENCES = {
    "inactivity": _inactivity,
    "contract": _contract,
    "collapse": _collapse,
    "cadence": _cadence,
    "disappeared": _disappeared,
}
"""How a definition is told, by its kind."""
