"""The one YAML that we read and write: what every loader understands alike, with the line of each key.

Loaders disagree on plain words: `NO` is a text to YAML 1.2 and false to YAML 1.1, which Hydra speaks; `12:30` is a text
or 750; `00123` is 123 or 83; a key that is there twice counts once. Here such words are refused with their line, so
that Hydra, DVC and we always read the same values.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from churn.words.errors import ConfigFault

Key = tuple[str | int, ...]
"""The way to a value: `("definition", "roles", 0)`."""

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)")
_DISPUTED = re.compile(
    r"""yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF        # truth to YAML 1.1
    | [-+]?0[0-9_]+(\..*)?                               # octal to YAML 1.1
    | [-+]?0[xX][0-9a-fA-F_]+ | [-+]?0o[0-7]+ | [-+]?0b[01_]+
    | [-+]?[0-9][0-9_.]*_[0-9_.eE+-]*                    # 1_000
    | [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?       # base 60 to YAML 1.1
    | [-+]?\.[0-9][0-9_]*([eE][-+]?[0-9]+)?              # .5
    | [-+]?\.(inf|Inf|INF) | \.(nan|NaN|NAN) | = | <<
    """,
    re.VERBOSE,
)


class Configuration(NamedTuple):
    """Values; the place where each key is written, such as `conf/config.yaml:12`; the chosen member of each group."""

    values: dict[str, Any]
    places: dict[Key, str]
    choices: dict[str, str] = {}  # noqa: RUF012 - never written to

    def place(self, key: Key) -> str:
        """Where the key is written; for a key that is not there, where its section is."""
        return next((self.places[key[:n]] for n in range(len(key), -1, -1) if key[:n] in self.places), "params.yaml")


def load(path: Path) -> Configuration:
    """What the file says.

    Raises
    ------
    ConfigFault
        With file and line: text that is no YAML, a key that is there twice, a disputed word, an anchor or a tag.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        node = _Loader(text).get_single_node()
    except FileNotFoundError:
        raise ConfigFault(f"{path} is not there (looked in {Path.cwd()}). {_hint(path)}") from None
    except UnicodeDecodeError as error:
        raise ConfigFault(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigFault(f"{path}:{line}: {error.problem or 'not YAML'}") from error
    except yaml.YAMLError as error:
        raise ConfigFault(f"{path}: not YAML: {error}") from error
    if node is None:
        return Configuration({}, {(): f"{path}:1"})
    if not isinstance(node, yaml.MappingNode):
        raise ConfigFault(f"{path}:{_line(node)}: a configuration is made of keys, such as `horizon_days: 28`")
    places: dict[Key, str] = {}
    return Configuration(_value(node, (), path, places), places)


def dump(values: dict[str, Any]) -> str:
    """The values as YAML text in their own order; texts that a loader could take for something else are quoted."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def dotted(key: Key) -> str:
    """The key as people write it: `definition.roles[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


def leaves(value: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every key that holds no further keys, with its value. A list is one value; so is an empty section."""
    if not isinstance(value, dict) or not value:
        yield key, value
        return
    for name, inner in value.items():
        yield from leaves(inner, (*key, name))


class _Loader(yaml.SafeLoader):
    """Refuses what makes a file hard to read and easy to abuse: anchors, aliases and tags."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.MarkedYAMLError(problem="anchors (& and *) are not used here", problem_mark=event.start_mark)
        if getattr(event, "tag", None):
            raise yaml.MarkedYAMLError(problem=f"tag {event.tag} is not used here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Writes texts in quotes unless every loader reads them as text."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = "\n" not in text and not _DISPUTED.fullmatch(text) and _plain(text) == text
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _quoted)


def _value(node: yaml.Node, key: Key, path: Path, places: dict[Key, str]) -> Any:
    """The value of a node; notes the place of every key on the way."""
    places[key] = f"{path}:{_line(node)}"
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, path, places)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*key, number), path, places) for number, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, key, path)


def _mapping(node: yaml.MappingNode, key: Key, path: Path, places: dict[Key, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name_node, value_node in node.value:
        name = _scalar(name_node, key, path) if isinstance(name_node, yaml.ScalarNode) else None
        if not isinstance(name, str):
            raise ConfigFault(f"{path}:{_line(name_node)}: a key must be text; put it in quotes")
        inner = (*key, name)
        if name in values:
            first = places[inner].rpartition(":")[2]
            raise ConfigFault(f"{path}:{_line(name_node)}: {dotted(inner)} is there twice (first in line {first})")
        values[name] = _value(value_node, inner, path, places)
        places[inner] = f"{path}:{_line(name_node)}"
    return values


def _scalar(node: yaml.ScalarNode, key: Key, path: Path) -> Any:
    if node.style is not None:
        return node.value
    if _DISPUTED.fullmatch(node.value):
        raise ConfigFault(
            f"{path}:{_line(node)}: {dotted(key)}: loaders disagree on the plain word {node.value}. "
            f'Write "{node.value}" in quotes if it is text; else write true, false, or a decimal number such as 0.5'
        )
    return _plain(node.value)


def _plain(text: str) -> Any:
    """What a plain word means in YAML 1.2. Dates are texts."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return bool(_TRUE.fullmatch(text))
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _hint(path: Path) -> str:
    return "Run `churn config compose`, which makes it" if path.name == "params.yaml" else "Go to the project's root"
