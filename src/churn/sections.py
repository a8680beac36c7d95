"""Which function each section of `conf/` feeds, and whether params.yaml is what `conf/` says.

A section holds the keyword-only arguments of one function; the signature is its schema. Where a group has several
members, as `definition` and `model`, the section's `kind` chooses the function.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any, NamedTuple

from churn.core.dataset import dataset
from churn.core.definitions import DEFINITIONS
from churn.core.evaluation import evaluation
from churn.core.features import windows
from churn.core.model import MODELS
from churn.core.reasons import reasons
from churn.core.risk_list import risk_list
from churn.core.scores import limits
from churn.core.snapshots import as_ofs
from churn.core.split import split
from churn.shell import config
from churn.shell.config import Configuration, Feeds
from churn.shell.engine import ENGINES
from churn.shell.tracking import track
from churn.words.errors import ConfigFault

EXPERIMENT = "DVC_EXP_NAME"
"""Set by `dvc exp run` in the environment of stages, and by nothing else (measured, DVC 3.67). DVC has just composed
params.yaml with the overrides of the experiment then, so it must differ from conf/."""


_OUTDATED = (
    "conf/ has no such fault: params.yaml is older than an update of churn or of conf/, which brings and drops "
    "sections and keys, or was edited by hand. Run `churn config compose`, which writes it from conf/"
)


class Section(NamedTuple):
    """The function that a section feeds, or the functions by `kind`; `given`: arguments that come from elsewhere."""

    feeds: Feeds
    given: tuple[str, ...] = ()


SECTIONS: dict[str, Section] = {
    "data": Section(dataset),
    "definition": Section(DEFINITIONS),
    "engine": Section(ENGINES),
    "snapshots": Section(as_ofs),
    "split": Section(split, given=("observed_until", "definition")),
    "features": Section(windows),
    "model": Section(MODELS),
    "step_down": Section(MODELS),
    "evaluation": Section(evaluation, given=("catalogue", "nouns", "currency")),
    "scores": Section(limits),
    "reasons": Section(reasons, given=("catalogue", "nouns", "currency")),
    "risk_list": Section(risk_list, given=("horizon_days", "currency", "model_version", "order")),
    "tracking": Section(track),
}


def section(name: str, configuration: Configuration | None = None) -> dict[str, Any]:
    """The section of params.yaml, or of another configuration, as keyword arguments of the function that it feeds."""
    feeds, given = SECTIONS[name]
    return (
        config.checked(configuration, name, feeds, given=given)
        if configuration
        else config.own(name, feeds, given=given)
    )


def learning() -> dict[str, Any]:
    """The sections `model` and `step_down`, as the keyword arguments of `churn.core.model.model`."""
    return {**section("model"), "step_down": section("step_down")}


def check() -> None:
    """Nothing, if params.yaml is sound and says what conf/ says; in an experiment of DVC it need only be sound.

    Raises
    ------
    ConfigFault
        Naming every wrong key, or every key that differs with both values, and what mends it.
    """
    params = config.params()
    if os.environ.get(EXPERIMENT):
        check_values(params)
        return
    try:
        composed = compose()
    except ConfigFault as fault:
        raise ConfigFault(f"{fault}\nMend it in conf/, then run `churn config compose`") from fault
    try:
        check_values(params)
    except ConfigFault as fault:
        raise ConfigFault(f"{fault}\n{_OUTDATED}") from fault
    differing = config.differences(params, composed)
    if differing:
        told = "\n  ".join(differing)
        raise ConfigFault(
            f"params.yaml differs from conf/ in {len(differing)} keys:\n  {told}\n"
            "Run `churn config compose` to use conf/; to keep what params.yaml says, write it into conf/ first"
        )


def compose(overrides: Sequence[str] = ()) -> Configuration:
    """What conf/ says, with overrides such as `model=logistic`, once every section fits the function it feeds."""
    composed = config.compose(overrides)
    check_values(composed)
    return composed


def check_values(configuration: Configuration) -> None:
    """Nothing, if there are exactly the sections that there should be, and each fits the function it feeds.

    Raises
    ------
    ConfigFault
        With one line for each wrong key of any section.
    """
    wrong = [*_strangers(configuration)]
    for name, (feeds, given) in SECTIONS.items():
        try:
            arguments = config.checked(configuration, name, feeds, given=given)
            function = feeds[arguments["kind"]] if isinstance(feeds, Mapping) else feeds
            if _needs_nothing_else(function):
                function(**arguments)
        except ConfigFault as fault:
            wrong.append(str(fault))
    if wrong:
        raise ConfigFault("\n".join(wrong))


def _strangers(configuration: Configuration) -> list[str]:
    """One line for each section that feeds nothing."""
    lines = []
    for name in configuration.values.keys() - SECTIONS.keys():
        near = get_close_matches(name, SECTIONS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"sections are {', '.join(SECTIONS)}"
        lines.append(f"{configuration.place((name,))}: {name} is not a section; {hint}")
    return sorted(lines)


def _needs_nothing_else(function: Callable[..., Any]) -> bool:
    """Whether the function makes a value of its section alone. Making it finds what types cannot say, at no cost."""
    return all(p.kind is Parameter.KEYWORD_ONLY for p in signature(function).parameters.values())
