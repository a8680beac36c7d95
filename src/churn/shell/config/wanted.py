"""What a signature asks for, in words."""

from collections.abc import Mapping
from dataclasses import astuple, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt, MinLen

from churn.shell.config.document import Key

_PLAIN = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    NoneType: "null",
    Any: "anything",
}
_RANGE = {Ge: "of at least {}", Gt: "greater than {}", Le: "of at most {}", Lt: "below {}"}


def wanted(annotation: Any) -> str:
    """What a value of this annotation must be, with its range.

    >>> wanted(Annotated[int, Ge(1)] | None)
    'a whole number of at least 1, or null'
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = " and ".join(filter(None, map(_range, arguments[1:])))
        return f"{wanted(arguments[0])} {limits}".strip()
    if origin in (Union, UnionType):
        return ", or ".join(wanted(a) for a in arguments)
    if origin is not None and arguments:
        return _generic(origin, arguments)
    if is_dataclass(annotation):
        return f"a section with {', '.join(get_type_hints(annotation))}"
    return _PLAIN.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _generic(origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin in (dict, Mapping):
        return f"a section of names, each with {wanted(arguments[1])}"
    return f"a list whose items are each {wanted(arguments[0])}"


def _range(limit: Any) -> str:
    if isinstance(limit, MinLen):
        return "that is not empty" if limit.min_length == 1 else f"of at least {limit.min_length} characters or items"
    return _RANGE[type(limit)].format(astuple(limit)[0]) if type(limit) in _RANGE else ""


def got(value: Any) -> str:
    """A value of a configuration, as people call it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f"text {value!r}"
    if isinstance(value, dict):
        return f"a section ({', '.join(map(str, value))})"
    return f"a list of {len(value)}" if isinstance(value, list | tuple) else str(value)


def annotation_at(root: dict[str, Any], key: Key) -> tuple[Any, tuple[str, ...]]:
    """The annotation that holds at `key`, and the names that stand beside it there."""
    here: Any = root
    names: tuple[str, ...] = ()
    for part in key:
        here, names = _step(here, part)
    return here, names


def _step(annotation: Any, part: str | int) -> tuple[Any, tuple[str, ...]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _step(arguments[0], part)
    if origin in (Union, UnionType):
        steps = [_step(a, part) for a in arguments]
        return next((step for step in steps if step[0] is not Any or step[1]), (Any, ()))
    if origin in (tuple, list) and isinstance(part, int):
        return (arguments[0] if arguments[1:] in ((), (...,)) else arguments[part]), ()
    if origin is dict:
        return arguments[1], ()
    return _member(annotation, str(part))


def _member(annotation: Any, name: str) -> tuple[Any, tuple[str, ...]]:
    """The annotation of one key of a section, and the names of all its keys."""
    if not isinstance(annotation, dict) and not is_dataclass(annotation):
        return Any, ()
    hints = annotation if isinstance(annotation, dict) else get_type_hints(annotation, include_extras=True)
    names = tuple(annotation if isinstance(annotation, dict) else annotation.__dataclass_fields__)
    return hints.get(name, Any), names
