"""A declaration as a tree of keys, each with its evidence, and as the YAML text of conf/."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*%-]*( [A-Za-z0-9_./-]+)*")
_DISPUTED = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|nan|inf")
WIDTH = 110


@dataclass(frozen=True)
class Entry:
    """A key, its value (a scalar, a list or dict on one line, or entries), and the comments that stand above it."""

    key: str
    value: Any
    notes: tuple[str, ...] = ()


Tree = tuple[Entry, ...]


def entry(key: str, value: Any, *notes: str | None) -> Entry:
    """An entry with those of the notes that say something."""
    return Entry(key, value, tuple(note for note in notes if note))


def values(tree: Sequence[Entry]) -> dict[str, Any]:
    """What the tree says, without its comments."""
    return {e.key: values(e.value) if is_tree(e.value) else e.value for e in tree}


def is_tree(value: Any) -> bool:
    """Whether the value is entries of their own."""
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, Entry) for item in value)


def text(tree: Sequence[Entry], indent: int = 0) -> str:
    """The tree as YAML."""
    return "\n".join(_lines(tree, " " * indent)) + "\n"


def comment(note: str, margin: str = "") -> Iterator[str]:
    """A note as lines of comments."""
    for line in note.splitlines():
        yield from (
            f"{margin}# {part}".rstrip() for part in wrap(line, WIDTH - len(margin), break_on_hyphens=False) or [""]
        )


def scalar(value: Any) -> str:
    """A value on one line. Texts are in quotes unless every loader reads them as that text."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {scalar(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(scalar, value)) + "]"
    if isinstance(value, str):
        plain = (_PLAIN.fullmatch(value) or _cjk(value)) and not _DISPUTED.fullmatch(value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _cjk(value: str) -> bool:
    return bool(re.fullmatch(r"[一-鿿A-Za-z_]+", value))


def _lines(tree: Sequence[Entry], margin: str) -> Iterator[str]:
    for e in tree:
        for note in e.notes:
            yield from comment(note, margin)
        if is_tree(e.value):
            yield f"{margin}{scalar(e.key)}:"
            yield from _lines(e.value, margin + "  ")
        else:
            yield f"{margin}{scalar(e.key)}: {scalar(e.value)}"
