"""Composing: `conf/` and its choices become one set of values, which is written to params.yaml."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from churn.shell.config.document import Configuration, Key, dotted, dump, leaves, load
from churn.shell.config.section import PARAMS
from churn.shell.config.wanted import got
from churn.words.errors import ConfigFault

CONF = Path("conf")
ROOT = CONF / "config.yaml"
HEADER = "# composed from conf/ by `churn config compose`; do not edit\n"

_ENTRY = re.compile(r"[A-Za-z0-9_-]+(@[A-Za-z0-9_.-]+)?")
_GLOBAL = re.compile(r"\A#\s*@package\s+_global_\s*$", re.MULTILINE)
_PACKAGE = re.compile(r"^#\s*@package\s", re.MULTILINE)
_OVERRIDE = re.compile(r"([A-Za-z0-9_./-]+)=(.*)", re.DOTALL)


def compose(overrides: Sequence[str] = (), *, without: Sequence[str] = ()) -> Configuration:
    """The values of `conf/` as Hydra composes them, with the place of each key and the choice of each group.

    Parameters
    ----------
    overrides
        Such as `definition.horizon_days=60` or `model=logistic`.
    without
        Groups that are left out, with all that their files say in other sections.

    Raises
    ------
    ConfigFault
        A choice that does not exist, a value that is still `???`, or anything in conf/ that could run code, read the
        environment or leave the folder.
    """
    files = _screened()
    for override in overrides:
        _screen_override(override)
    values, choices = _composed([*overrides, *(f"~{group}" for group in without)])
    missing = [key for key, value in leaves(values) if value == "???"]
    places = _places(files, choices) | {
        tuple(key.split(".")): f"override {key}={value}" for key, value in (o.split("=", 1) for o in overrides)
    }
    configuration = Configuration(values, places, choices)
    if missing:
        lines = [f"{configuration.place(key)}: {dotted(key)} is ???; give it a value" for key in missing]
        raise ConfigFault("\n".join(lines))
    return configuration


def write_params(configuration: Configuration) -> bool:
    """Write params.yaml, the same bytes for the same values; whether they differ from what was there."""
    from churn.shell.store import write_text

    text = HEADER + dump(configuration.values)
    if PARAMS.is_file() and PARAMS.read_bytes() == text.encode():
        return False
    write_text(PARAMS, text)
    return True


def differences(params: Configuration, composed: Configuration) -> list[str]:
    """One line for each key whose value in params.yaml is not that of conf/, with both values and their places."""
    ours, theirs = dict(leaves(params.values)), dict(leaves(composed.values))
    keys = [key for key in {**theirs, **ours} if _text(ours, key) != _text(theirs, key)]
    return [f"{dotted(k)}: {_said(params, ours, k)}, but {_said(composed, theirs, k)}" for k in keys]


def use(choices: Mapping[str, str]) -> None:
    """Write the choices (group → member) into the defaults list of conf/config.yaml, keeping its comments.

    Raises
    ------
    ConfigFault
        A group or member that does not exist, or a choice that another chosen file overrides; nothing is changed then.
    """
    from churn.shell.store import read_text, write_text

    before = after = read_text(ROOT)
    for group, member in choices.items():
        _check_choice(group, member)
        line = re.compile(rf"^([ \t]*-[ \t]+{group}[ \t]*:[ \t]*)[^\s#]+", re.MULTILINE)
        if not line.search(after):
            raise ConfigFault(f"{ROOT} has no line `- {group}: …` in its defaults; add `- {group}: {member}` there")
        after = line.sub(rf"\g<1>{member}", after, count=1)
    write_text(ROOT, after)
    try:
        _check_taken(choices, compose().choices)
    except ConfigFault:
        write_text(ROOT, before)
        raise


def groups() -> dict[str, tuple[str, ...]]:
    """The members of each group of conf/, sorted."""
    folders = sorted(p for p in CONF.iterdir() if p.is_dir())
    return {folder.name: tuple(sorted(p.stem for p in folder.glob("*.yaml"))) for folder in folders}


def member(group: str, name: str) -> Configuration:
    """What the file conf/GROUP/NAME.yaml says by itself, under the key of its group."""
    _check_choice(group, name)
    own = _screened()[CONF / group / f"{name}.yaml"]
    places = {(group, *key): place for key, place in own.places.items()}
    return Configuration({group: own.values}, {(): own.place(())} | places, {group: name})


def _check_taken(wanted: Mapping[str, str], taken: Mapping[str, str]) -> None:
    for group, member in wanted.items():
        if taken.get(group) != member:
            raise ConfigFault(
                f"{group}={member} would have no effect: conf/data/{taken.get('data')}.yaml overrides it "
                f"with {taken.get(group)}. Change that file, or choose other data"
            )


def _check_choice(group: str, member: str) -> None:
    known = groups()
    if group not in known:
        near = get_close_matches(group, known, n=1)
        raise ConfigFault(f"conf/ has no group {group}; groups are {', '.join(known)}{_did_you_mean(near)}")
    if member not in known[group]:
        near = get_close_matches(member, known[group], n=1)
        raise ConfigFault(f"conf/{group}/ has no {member}; there are {', '.join(known[group])}{_did_you_mean(near)}")


def _did_you_mean(near: list[str]) -> str:
    return f"; did you mean {near[0]}?" if near else ""


# -- what is not let in ------------------------------------------------------------------------------------------------


def _screened() -> dict[Path, Configuration]:
    """Every file of conf/, read strictly; nothing in it can run code, read the environment or leave the folder."""
    if not ROOT.is_file():
        raise ConfigFault(f"{ROOT} is not there (looked in {Path.cwd()}). Go to the project's root")
    for path in (CONF, *sorted(CONF.rglob("*"))):
        if path.is_symlink():
            raise ConfigFault(f"{path} is a link to {path.readlink()}; conf/ must hold the files themselves")
    files = {path: load(path) for path in sorted(CONF.rglob("*.yaml"))}
    for path, file in files.items():
        for key in file.places:
            _screen_key(file, path, key)
        for key, value in leaves(file.values):
            _screen_value(f"{file.place(key)}: {dotted(key)}", value)
    return files


def _screen_key(file: Configuration, path: Path, key: Key) -> None:
    last = str(key[-1]) if key else ""
    if re.fullmatch(r"_\w+_", last):
        raise ConfigFault(f"{file.place(key)}: {dotted(key)} is not a key here: a configuration holds values, not code")
    if key == ("hydra",):
        raise ConfigFault(f"{file.place(key)}: hydra is not configured here; delete the section")
    text = path.read_text(encoding="utf-8") if not key else ""
    if _PACKAGE.search(text) and not _GLOBAL.search(text):
        raise ConfigFault(f"{path}:1: the first line may be `# @package _global_`, or there is no `@package` at all")


def _screen_value(where: str, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _screen_value(where, item)
    if isinstance(value, dict):
        for name, inner in value.items():
            _screen_value(f"{where}.{name}", inner)
    if not isinstance(value, str):
        return
    if "${" in value:
        raise ConfigFault(f"{where} holds ${{…}}, which is not used here: write the value itself")
    if "defaults" in where and not re.fullmatch(_ENTRY, value):
        raise ConfigFault(f"{where}: {value!r} is not the name of a file in conf/")


def _screen_override(override: str) -> None:
    found = _OVERRIDE.fullmatch(override)
    if not found:
        raise ConfigFault(f"override {override!r} must be written as section.key=value or group=member")
    key, value = found.groups()
    if "${" in value or key.split(".")[0] == "hydra" or ".." in override or re.search(r"(^|\.)_\w+_$", key):
        raise ConfigFault(f"override {override!r} is not let in: it sets neither a value nor a choice of conf/")
    if key in groups():
        _check_choice(key, value)


# -- Hydra -------------------------------------------------------------------------------------------------------------


def _composed(overrides: list[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values and the choices, by Hydra's compose API."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        with initialize_config_dir(str(CONF.absolute()), version_base="1.3"):
            composed = hydra_compose("config", overrides=overrides, return_hydra_config=True)
        choices = {g: str(c) for g, c in composed.hydra.runtime.choices.items() if not g.startswith("hydra/")}
        kept = OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
        values = OmegaConf.to_container(kept, resolve=True)
    except MissingConfigException as error:
        group, _, member = str(error.missing_cfg_file).rpartition("/")
        near = _did_you_mean(get_close_matches(member, list(error.options or ()), n=1))
        raise ConfigFault(f"conf/{group}/ has no {member}; there are {', '.join(error.options or ())}{near}") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigFault(f"conf/ cannot be composed: {str(error).splitlines()[0]}{_nearest_key(overrides)}") from error
    return {str(key): value for key, value in dict(values).items()}, choices  # type: ignore[arg-type]


def _nearest_key(overrides: list[str]) -> str:
    """What the first override that names no key probably meant."""
    if not overrides:
        return ""
    known = [dotted(key) for key, _ in leaves(_composed([])[0])]
    strange = [key for key in (o.partition("=")[0] for o in overrides) if key not in known and key not in groups()]
    return _did_you_mean(get_close_matches(strange[0], known, n=1)) if strange else ""


def _places(files: Mapping[Path, Configuration], choices: Mapping[str, str]) -> dict[Key, str]:
    """Where each key is written: in the last file of the defaults list that has it, as for its value."""
    places: dict[Key, str] = {}
    for path, prefix in _in_order(files, choices):
        file = files[path]
        places |= {(*prefix, *key): place for key, place in file.places.items() if key and key[0] != "defaults"}
    return {(): f"{ROOT}:1"} | places


def _in_order(files: Mapping[Path, Configuration], choices: Mapping[str, str]) -> Iterator[tuple[Path, Key]]:
    """The files in the order of the defaults list, each with the key that its values go under."""
    for entry in files[ROOT].values.get("defaults", []):
        if entry == "_self_":
            yield ROOT, ()
        for choice in (c for c in entry if c in choices) if isinstance(entry, dict) else ():
            # `model: ladder` becomes the section model, `model@step_down: ladder` the section step_down.
            group, _, package = choice.partition("@")
            path = CONF / group / f"{choices[choice]}.yaml"
            yield from _within(files, path, package or group)
            yield path, () if _GLOBAL.search(path.read_text(encoding="utf-8")) else (package or group,)


def _within(files: Mapping[Path, Configuration], path: Path, section: str) -> Iterator[tuple[Path, Key]]:
    """The members of the same group that a file puts into itself, such as `rule@rungs.rule`."""
    for entry in files[path].values.get("defaults", []):
        name, at, package = entry.partition("@") if isinstance(entry, str) else ("", "", "")
        if at:
            yield path.with_name(f"{name}.yaml"), (section, *package.split("."))


def _text(values: Mapping[Key, Any], key: Key) -> str:
    """The value as JSON, which tells 1 from 1.0 and from true; nothing where there is no such key."""
    return json.dumps(values[key], sort_keys=True) if key in values else ""


def _said(configuration: Configuration, values: Mapping[Key, Any], key: Key) -> str:
    place = configuration.place(key)
    if key not in values:
        return f"{'params.yaml' if place.startswith(str(PARAMS)) else 'conf/'} does not have it"
    shown = json.dumps(values[key], ensure_ascii=False) if isinstance(values[key], list) else got(values[key])
    return f"{place} says {shown}"
