"""conf/ and params.yaml: one strict reading, every fault with file, key, what is wanted and what was got."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Le, MinLen

from churn.shell import config
from churn.shell.config.document import load
from churn.words.errors import ConfigFault


@dataclass(frozen=True)
class Noun:
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic
    one: str
    many: str | None = None


def windows(table: object, *, days: Annotated[tuple[Annotated[int, Ge(1)], ...], MinLen(1)], share: float) -> None: ...


def shop(*, name: str, most: Annotated[int, Ge(1), Le(9)] | None, nouns: dict[str, Noun], column: str | Noun) -> str:
    return f"{name} {most} {nouns} {column}"


def tree(*, kind: Literal["tree"], seed: Annotated[int, Ge(0)]) -> int:
    return seed


def rule(*, kind: Literal["rule"]) -> int:
    return -1


KINDS = {"tree": tree, "rule": rule}
SHOP = "shop:\n  name: x\n  most: 3\n  nouns: {buy: {one: order}}\n  column: at\n"

MOST = "a whole number of at least 1 and of at most 9, or null"

CONF = {
    "config.yaml": """\
# choices
defaults:
  - model: tree  # the good one
  - _self_
  - data: a
shop:
  name: x
  most: 3
""",
    "model/tree.yaml": "kind: tree\nseed: 7\n",
    "model/rule.yaml": "kind: rule\n",
    "data/a.yaml": "# @package _global_\ndata:\n  name: a\n  day: 2018-01-01\n",
    "data/b.yaml": "# @package _global_\ndefaults:\n  - override /model: rule\nshop:\n  most: 5\ndata:\n  name: b\n",
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write a file of a small project, which is the working directory."""
    monkeypatch.chdir(tmp_path)

    def writes(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    for name, text in CONF.items():
        writes(f"conf/{name}", text)
    return writes


def said(text: str, write: Callable[[str, str], None]) -> dict:
    write("params.yaml", text)
    return load(Path("params.yaml")).values


# -- one reading ---


def test_plain_words_are_read_as_yaml_1_2(write) -> None:
    text = "a: true\nb: null\nc: 28\nd: 1e-3\ne: 0.5\nf: 2018-01-01\ng: 'NO'\nh: y\ni: 1.2.3\nj: -3\nk: [1, x]\nl: {}\n"
    assert said(text, write) == {
        "a": True, "b": None, "c": 28, "d": 0.001, "e": 0.5, "f": "2018-01-01", "g": "NO", "h": "y", "i": "1.2.3",
        "j": -3, "k": [1, "x"], "l": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    "word", ["NO", "yes", "Off", "12:30", "00123", "0x1F", "0o14", "0b11", "1_000", ".5", ".inf", ".nan", "012.5", "="]
)
def test_a_word_on_which_loaders_disagree_is_refused_with_its_line(word: str, write) -> None:
    with pytest.raises(ConfigFault, match=r"params\.yaml:3: a\.b: loaders disagree on the plain word .* in quotes"):
        said(f"a:\n  c: 1\n  b: {word}\n", write)
    assert said(f'a: "{word}"', write) == {"a": word}


def test_hydra_reads_every_plain_word_that_is_let_in_as_we_do(write) -> None:
    from omegaconf import OmegaConf

    text = (
        "a: true\nb: null\nc: 28\nd: 1e-3\ne: 0.5\nf: 2018-01-01\nh: y\ni: 1.2.3\nj: -3\nk: +3\nl: 1.\nm: 1E+5\nn: ~\n"
    )
    assert OmegaConf.to_container(OmegaConf.create(text)) == said(text, write)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", r"params\.yaml:3: a is there twice \(first in line 1\)"),
        ("a:\n  - x: 1\n    x: 2\n", r"params\.yaml:3: a\[0\]\.x is there twice \(first in line 2\)"),
        ("a: &x 1\nb: *x\n", r"params\.yaml:1: anchors"),
        ("a: !!python/object/apply:os.system [ls]\n", r"params\.yaml:1: tag .*os\.system is not used"),
        ("a: [1\n", r"params\.yaml:2: .*"),
        ("1: x\n", r"params\.yaml:1: a key must be text"),
        ("- 1\n", r"params\.yaml:1: a configuration is made of keys"),
    ],
)
def test_what_makes_a_file_ambiguous_or_dangerous_is_refused_with_its_line(text: str, fault: str, write) -> None:
    with pytest.raises(ConfigFault, match=fault):
        said(text, write)


def test_a_file_that_is_not_there_or_not_utf8_says_so(write) -> None:
    with pytest.raises(ConfigFault, match=r"params\.yaml is not there.*churn config compose"):
        config.params()
    Path("params.yaml").write_bytes("a: é".encode("latin-1"))
    with pytest.raises(ConfigFault, match=r"params\.yaml is not UTF-8 \(byte 3\)"):
        config.params()


def test_what_is_written_is_read_back_by_every_loader(write) -> None:
    import yaml
    from omegaconf import OmegaConf

    values = {
        "a": {w: w for w in ("NO", "1e-3", "12:30", "0o14", "00123", ".5", "2018-01-01", "null", "~", "", " x", "=")}
    }
    values |= {"b": [1, 1.5, 1e-5, True, None, "客户", "a: b", "# c", "two\nlines"], "c": {}, "d": []}
    text = config.dump(values)
    assert said(text, write) == values
    assert OmegaConf.to_container(OmegaConf.create(text)) == values
    assert yaml.safe_load(text)["a"] == values["a"]


# -- sections and signatures ---


def test_a_section_becomes_the_arguments_of_its_function(write) -> None:
    write("params.yaml", f"{SHOP}w:\n  days: [7, 30]\n  share: 1\n")
    assert config.section("shop", shop) == {"name": "x", "most": 3, "nouns": {"buy": Noun("order")}, "column": "at"}
    assert config.section("w", windows) == {"days": (7, 30), "share": 1.0}
    assert config.value("shop", shop) == "x 3 {'buy': Noun(one='order', many=None)} at"


def test_the_kind_of_a_section_chooses_its_function(write) -> None:
    write("params.yaml", "model:\n  kind: tree\n  seed: 7\n")
    assert config.value("model", KINDS) == 7
    write("params.yaml", "model:\n  kind: three\n")
    with pytest.raises(ConfigFault, match=r"params\.yaml:2: model\.kind must be one of tree, rule, got .*tree\?"):
        config.section("model", KINDS)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("most: 3", "most: abc", f"params.yaml:3: shop.most must be {MOST}, got text 'abc'"),
        ("most: 3", "most: 0", f"params.yaml:3: shop.most must be {MOST}, got 0"),
        ("most: 3", "most: 3.0", f"params.yaml:3: shop.most must be {MOST}, got 3.0"),
        ("most: 3", "most: true", f"params.yaml:3: shop.most must be {MOST}, got true"),
        ("most: 3", 'most: "3"', f"params.yaml:3: shop.most must be {MOST}, got text '3'"),
        ("name: x", "name: 7", "params.yaml:2: shop.name must be text, got 7"),
        ("most: 3", "mots: 3", "params.yaml:3: shop.mots is not a key; did you mean most?"),
        ("  most: 3\n", "", f"params.yaml:1: shop.most is missing; it must be {MOST}"),
        ("{one: order}", "{onee: order}", "params.yaml:4: shop.nouns.buy.onee is not a key; did you mean one?"),
        ("{one: order}", "order", "params.yaml:4: shop.nouns.buy must be a section with one, many, got text 'order'"),
        ("column: at", "column: {one: 3}", "params.yaml:5: shop.column.one must be text, got 3"),
        ("column: at", "column: 3", "params.yaml:5: shop.column must be text, or a section with one, many, got 3"),
        ("name: x", "name: x\n  q: 1", "params.yaml:3: shop.q is not a key; keys here are name, most, nouns, column"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_says_where_what_is_wanted_and_what_was_got(old: str, new: str, fault: str, write) -> None:
    write("params.yaml", SHOP.replace(old, new))
    with pytest.raises(ConfigFault) as raised:
        config.checked(config.params(), "shop", shop)
    assert str(raised.value) == fault


def test_all_wrong_keys_are_told_at_once(write) -> None:
    write("params.yaml", SHOP.replace("most: 3", "most: 0").replace("column: at", "column: 1"))
    with pytest.raises(ConfigFault, match=r"(?s)shop\.most.*\n.*shop\.column"):
        config.section("shop", shop)


def test_a_section_that_is_missing_is_named(write) -> None:
    write("params.yaml", SHOP)
    with pytest.raises(ConfigFault, match="section model is missing"):
        config.section("model", KINDS)


def test_params_are_checked_before_anything_heavy_is_imported(write) -> None:
    write("params.yaml", SHOP.replace("most: 3", "most: abc"))
    code = (
        "import sys; from churn.shell import config; from churn.words.errors import ConfigFault\n"
        "def shop(*, name: str, most: int, nouns: dict, column: str): ...\n"
        "try: config.section('shop', shop)\n"
        "except ConfigFault as fault: print(fault)\n"
        "heavy = {'pandas', 'lightgbm', 'mlflow', 'duckdb', 'numba', 'hydra', 'sklearn', 'dvc'} & sys.modules.keys()\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, *_, heavy = done.stdout.splitlines()
    assert (first, heavy) == ("params.yaml:3: shop.most must be a whole number, got text 'abc'", "[]")


# -- composing ---


def test_conf_is_composed_with_the_place_of_each_key(write) -> None:
    composed = config.compose()
    assert composed.values == {
        "model": {"kind": "tree", "seed": 7},
        "shop": {"name": "x", "most": 3},
        "data": {"name": "a", "day": "2018-01-01"},
    }
    assert composed.choices == {"model": "tree", "data": "a"}
    assert composed.place(("model", "seed")) == "conf/model/tree.yaml:2"
    assert composed.place(("shop", "most")) == "conf/config.yaml:8"
    assert composed.place(("data", "name")) == "conf/data/a.yaml:3"


def test_a_data_set_may_change_other_sections(write) -> None:
    composed = config.compose(["data=b"])
    assert composed.values["model"] == {"kind": "rule"}
    assert composed.values["shop"] == {"name": "x", "most": 5}
    assert composed.place(("shop", "most")) == "conf/data/b.yaml:5"


def test_overrides_change_values_and_choices(write) -> None:
    composed = config.compose(["model=rule", "shop.most=4"])
    assert (composed.values["model"], composed.values["shop"]["most"]) == ({"kind": "rule"}, 4)
    assert composed.place(("shop", "most")) == "override shop.most=4"


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("model=tre", r"conf/model/ has no tre; there are rule, tree; did you mean tree\?"),
        ("shop.mots=3", r"Could not override 'shop\.mots'.*did you mean shop\.most\?"),
        ("data=../model/tree", "not let in"),
        ("shop.name=${oc.env:HOME}", "not let in"),
        ("hydra.searchpath=[/tmp]", "not let in"),
        ("shop._target_=os.system", "not let in"),
        ("+x=1", "must be written as section.key=value or group=member"),
        ("shop.most", "must be written as section.key=value or group=member"),
    ],
)
def test_an_override_that_is_not_let_in_says_why(override: str, fault: str, write) -> None:
    with pytest.raises(ConfigFault, match=fault):
        config.compose([override])


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("data/a.yaml", "name: ${oc.env:HOME}\n", r"conf/data/a\.yaml:1: name holds \$\{…\}"),
        ("data/a.yaml", "name: [{x: 'a ${shop.name}'}]\n", r"conf/data/a\.yaml:1: name.* holds \$\{…\}"),
        ("data/a.yaml", "x:\n  _target_: os.system\n", r"conf/data/a\.yaml:2: x\._target_ is not a key here"),
        ("data/a.yaml", "hydra:\n  searchpath: [/tmp]\n", r"conf/data/a\.yaml:1: hydra is not configured here"),
        ("data/a.yaml", "defaults:\n  - ../../etc/x\n", r"conf/data/a\.yaml:.*'\.\./\.\./etc/x' is not the name"),
        ("data/a.yaml", "# @package shop\nname: y\n", r"conf/data/a\.yaml:1: the first line may be"),
        ("data/a.yaml", "name: NO\n", r"conf/data/a\.yaml:1: name: loaders disagree"),
        (
            "data/a.yaml",
            "name: ???\nday: ???\n",
            r"a\.yaml:1: data\.name is \?\?\?.*\n.*a\.yaml:2: data\.day",
        ),
        ("config.yaml", "defaults:\n  - model: tre\n  - _self_\n", r"conf/model/ has no tre; .* did you mean tree\?"),
    ],
)
def test_conf_holds_values_only(name: str, text: str, fault: str, write) -> None:
    write(f"conf/{name}", text)
    with pytest.raises(ConfigFault, match=fault):
        config.compose()


def test_conf_holds_its_files_itself(write, tmp_path: Path) -> None:
    write("elsewhere.yaml", "name: z\n")
    (tmp_path / "conf/data/z.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(ConfigFault, match=r"conf/data/z\.yaml is a link to"):
        config.compose()


def test_params_yaml_is_written_with_a_warning_and_always_the_same_bytes(write) -> None:
    assert config.write_params(config.compose())
    first = Path("params.yaml").read_bytes()
    assert first.startswith(b"# composed from conf/ by `churn config compose`; do not edit\n")
    assert not config.write_params(config.compose())
    assert Path("params.yaml").read_bytes() == first
    assert config.params().values == config.compose().values


def test_each_key_that_differs_is_told_with_both_values(write) -> None:
    config.write_params(config.compose())
    assert config.differences(config.params(), config.compose()) == []
    write("conf/model/tree.yaml", "kind: tree\nseed: 7.0\ndepth: [1, 2]\n")
    write("conf/data/a.yaml", "# @package _global_\ndata:\n  name: a\n")
    assert sorted(config.differences(config.params(), config.compose())) == [
        "data.day: params.yaml:10 says text '2018-01-01', but conf/ does not have it",
        "model.depth: params.yaml does not have it, but conf/model/tree.yaml:3 says [1, 2]",
        "model.seed: params.yaml:4 says 7, but conf/model/tree.yaml:2 says 7.0",
    ]


def test_a_choice_is_written_without_touching_comments(write) -> None:
    config.use({"model": "rule"})
    assert Path("conf/config.yaml").read_text() == CONF["config.yaml"].replace(
        "- model: tree  # the good one", "- model: rule  # the good one"
    )


@pytest.mark.parametrize(
    ("choices", "fault"),
    [
        ({"modle": "rule"}, r"no group modle; groups are data, model; did you mean model\?"),
        ({"model": "rul"}, r"conf/model/ has no rul; there are rule, tree; did you mean rule\?"),
        ({"data": "b", "model": "tree"}, r"model=tree would have no effect: conf/data/b\.yaml overrides it with rule"),
    ],
)
def test_a_choice_that_cannot_be_made_changes_nothing(choices: dict[str, str], fault: str, write) -> None:
    with pytest.raises(ConfigFault, match=fault):
        config.use(choices)
    assert Path("conf/config.yaml").read_text() == CONF["config.yaml"]
