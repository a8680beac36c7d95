"""Sections of params.yaml, checked against the signatures of the functions that they feed."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, make_dataclass
from dataclasses import fields as dataclass_fields
from difflib import get_close_matches
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from churn.shell.config.document import Configuration, Key, dotted, load
from churn.shell.config.wanted import annotation_at, got, wanted
from churn.words.errors import ConfigFault

PARAMS = Path("params.yaml")

Feeds = Callable[..., Any] | Mapping[str, Any]
"""The function that a section feeds; where there are several, by the section's `kind`."""


def params() -> Configuration:
    """What params.yaml says, not checked yet."""
    return load(PARAMS)


def section(name: str, feeds: Feeds) -> dict[str, Any]:
    """The section `name` of params.yaml as keyword arguments of the function that it feeds.

    Parameters
    ----------
    name
        A section of params.yaml.
    feeds
        The function, or the functions by the section's `kind`.

    Returns
    -------
    dict
        Lists are tuples, and sections within are frozen dataclasses, as the signature says. A keyword-only argument
        that the section does not have is left to the caller.

    Raises
    ------
    ConfigFault
        A key that the function does not know, or a value that its signature does not allow.
    """
    return own(name, feeds, partial=True)


def value(name: str, feeds: Feeds) -> Any:
    """What the function makes of the section `name`, for functions that need nothing else."""
    arguments = own(name, feeds)
    return _chosen(params(), name, feeds)(**arguments)


def own(name: str, feeds: Feeds, *, given: Collection[str] = (), partial: bool = False) -> dict[str, Any]:
    """The section `name` of params.yaml as keyword arguments; see `checked`.

    Raises
    ------
    ConfigFault
        With what mends it: an update brings and drops keys, and params.yaml is of the day when it was composed.
    """
    try:
        return checked(params(), name, feeds, given=given, partial=partial)
    except ConfigFault as fault:
        raise ConfigFault(
            f"{fault}\nIf there was an update since params.yaml was composed, run `churn config compose`: "
            f"it writes what conf/ says now"
        ) from fault


def checked(
    configuration: Configuration, name: str, feeds: Feeds, *, given: Collection[str] = (), partial: bool = False
) -> dict[str, Any]:
    """The section `name` as keyword arguments, in the types of the signature.

    Parameters
    ----------
    given
        Keyword-only arguments that do not come from the configuration.
    partial
        Whether arguments may be missing.

    Raises
    ------
    ConfigFault
        Naming every wrong key with its place, what is wanted there and what was got.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    function = _chosen(configuration, name, feeds)
    values = configuration.values[name]
    fields = {p: annotation for p, annotation in _arguments(function).items() if p not in given}
    shape = make_dataclass(
        name,
        [(p, a.annotation, _default(a)) for p, a in fields.items() if not partial or p in values],
        kw_only=True,
        namespace={"__pydantic_config__": ConfigDict(extra="forbid", arbitrary_types_allowed=True)},
    )
    try:
        made: Any = TypeAdapter(shape).validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        root = {name: {p: a.annotation for p, a in fields.items()}}
        raise ConfigFault(_explained(configuration, name, root, error.errors(include_url=False))) from error
    return {f.name: getattr(made, f.name) for f in dataclass_fields(shape)}


def _chosen(configuration: Configuration, name: str, feeds: Feeds) -> Callable[..., Any]:
    """The function that the section feeds."""
    values = configuration.values.get(name)
    if not isinstance(values, dict):
        raise ConfigFault(f"{configuration.place((name,))}: the section {name} is missing; it must hold keys")
    if not isinstance(feeds, Mapping):
        return feeds
    kind = values.get("kind")
    if isinstance(kind, str) and kind in feeds:
        return feeds[kind]
    near = _did_you_mean(str(kind), feeds)
    place = configuration.place((name, "kind"))
    raise ConfigFault(f"{place}: {name}.kind must be one of {', '.join(feeds)}, got {got(kind)}{near}")


def _arguments(function: Callable[..., Any]) -> dict[str, Parameter]:
    """The keyword-only parameters of the function."""
    return {p.name: p for p in signature(function).parameters.values() if p.kind is Parameter.KEYWORD_ONLY}


def _default(parameter: Parameter) -> Any:
    return field() if parameter.default is Parameter.empty else field(default_factory=lambda: parameter.default)


def _explained(configuration: Configuration, name: str, root: dict[str, Any], errors: list[Any]) -> str:
    """One line for each wrong key. Where a value may have several shapes, only the nearest one is spoken of."""
    found: dict[Key, Any] = {}
    for error in errors:
        key = _key(configuration.values[name], error)
        found.setdefault((name, *key), error)
    deepest = {k: e for k, e in found.items() if not any(o != k and o[: len(k)] == k for o in found)}
    unknown = {k for k, e in deepest.items() if e["type"] == "unexpected_keyword_argument"}
    lines = []
    for key, error in deepest.items():
        if error["type"] == "missing" and any(
            u[:-1] == key[:-1] and _near(str(u[-1]), [str(key[-1])]) for u in unknown
        ):
            continue  # the misspelt key beside it says it
        lines.append(f"{configuration.place(key)}: {_complaint(key, error, root)}")
    return "\n".join(lines)


def _key(values: Any, error: Any) -> Key:
    """The way to the wrong value through the values: pydantic also names the shape that it tried."""
    key: list[str | int] = []
    for number, part in enumerate(error["loc"]):
        if (isinstance(values, dict) and part in values) or (isinstance(values, list) and isinstance(part, int)):
            values = values[part]
            key.append(part)
        elif error["type"] == "missing" and number == len(error["loc"]) - 1:
            key.append(part)
    return tuple(key)


def _complaint(key: Key, error: Any, root: dict[str, Any]) -> str:
    annotation, names = annotation_at(root, key)
    if error["type"] == "unexpected_keyword_argument":
        near = _did_you_mean(str(key[-1]), names) or f"; keys here are {', '.join(names)}"
        return f"{dotted(key)} is not a key{near}"
    if error["type"] == "missing":
        return f"{dotted(key)} is missing; it must be {wanted(annotation)}"
    if error["type"] in ("value_error", "assertion_error"):
        return f"{dotted(key)}: {error['ctx']['error']}"
    near = _did_you_mean(error["input"], str(error.get("ctx", {}).get("expected", "")).replace("'", "").split(", "))
    return f"{dotted(key)} must be {wanted(annotation)}, got {got(error['input'])}{near}"


def _near(word: str, words: Collection[str]) -> str:
    return next(iter(get_close_matches(word, list(words), n=1)), "")


def _did_you_mean(word: Any, words: Collection[str]) -> str:
    near = _near(word, words) if isinstance(word, str) else ""
    return f"; did you mean {near}?" if near else ""
