"""Changing values in conf/ where they are written, with the comments around them left alone."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from churn.shell.config.document import Configuration, dump
from churn.words.errors import ConfigFault


class Change(NamedTuple):
    """One value that is to be another: `place` is file and line, `key` the dotted key."""

    place: str
    key: str
    before: Any
    after: Any


def changes(configuration: Configuration, section: str, values: Mapping[str, Any]) -> list[Change]:
    """What would have to be written where, for the section to have those values; nothing of what it has already.

    `section` is a dotted key, such as `model` or `model.rungs.lightgbm`.
    """
    keys = tuple(section.split("."))
    held: Any = configuration.values
    for key in keys:
        held = held[key]
    return [
        Change(configuration.place((*keys, name)), f"{section}.{name}", held[name], value)
        for name, value in values.items()
        if held[name] != value
    ]


def write(wanted: list[Change]) -> None:
    """Make each change in its line; what is no value of one line stops it before anything is written.

    Raises
    ------
    ConfigFault
        A line does not hold its key with one plain value.
    """
    from churn.shell.store import read_text, write_text

    texts: dict[Path, list[str]] = {}
    for change in wanted:
        file, _, number = change.place.rpartition(":")
        lines = texts.setdefault(Path(file), read_text(file).splitlines(keepends=True))
        line = int(number) - 1
        name = change.key.rpartition(".")[2]
        found = re.fullmatch(rf"(\s*{re.escape(name)}\s*:\s*)[^\s#\[{{&*|>]\S*(\s*(?:\s#.*)?\n?)", lines[line])
        if not found:
            raise ConfigFault(
                f"{change.place}: {change.key} is not a plain value of one line; write {in_yaml(change.after)} there"
            )
        lines[line] = f"{found[1]}{in_yaml(change.after)}{found[2]}"
    for path, lines in texts.items():
        write_text(path, "".join(lines))


def in_yaml(value: Any) -> str:
    """The value as conf/ has it."""
    return dump({"value": value}).removeprefix("value:").strip()
