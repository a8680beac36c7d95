"""Charts: the same bytes each time, text as text, nothing from elsewhere, and small enough for a page."""

import re
import warnings
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pytest

from churn.core import charts
from churn.core.features import GROUPS

SHARE = np.arange(1, 101) / 100
LIFT = pa.table({"share": SHARE, "model": 5 - 4 * SHARE, "rule": 3 - 2 * SHARE, "logistic": 4 - 3 * SHARE})
GAIN = pa.table({"share": SHARE, "model": SHARE**0.3, "rule": SHARE**0.7, "logistic": SHARE**0.5})
PRECISION = pa.table(
    {"recall": SHARE, "model": 1 - 0.8 * SHARE, "rule": 0.5 - 0.3 * SHARE, "logistic": 0.6 - 0.4 * SHARE}
)
SCORE = np.linspace(0.02, 0.4, 10)
RELIABILITY = pa.table({"score": SCORE, "churned_share": SCORE, "low": SCORE * 0.8, "high": SCORE * 1.3})
RANDOM = np.random.default_rng(3)
VALUES = np.where(RANDOM.random((200, 3)) < 0.1, np.nan, RANDOM.normal(size=(200, 3)))
LABELS = ["days since the last basket", "spend & more < 90 days", "plan"]

LISTS = pa.table(
    {"as_of": ["A", "B"], "model": [0.8, 0.9], "rule": [0.7, 0.7], "logistic": [0.8, 0.8], "low": [0.7, 0.8],
     "high": [0.9, 1.0]}
)  # fmt: skip

SVG = "{http://www.w3.org/2000/svg}"
CHARTS = {
    "lift": lambda language: charts.lift_chart(LIFT, language=language),
    "gain": lambda language: charts.gain_chart(GAIN, language=language),
    "precision_recall": lambda language: charts.precision_recall_chart(PRECISION, 0.2, language=language),
    "reliability": lambda language: charts.reliability_chart(RELIABILITY, 0.95, language=language),
    "influence": lambda language: charts.influence_chart(
        VALUES, np.nan_to_num(VALUES), LABELS, seed=1, language=language
    ),
    "groups": lambda language: charts.groups_chart([0.5, 0.2], ["spend_drop", "season"], language=language),
    "lists": lambda language: charts.lists_chart(LISTS, 0.95, language=language),
}


@pytest.fixture(
    scope="module", params=[(name, language) for name in CHARTS for language in charts.LANGUAGES], ids="-".join
)
def drawn(request) -> tuple[str, str, str]:
    """Name, language and SVG of each chart; a warning of any library fails."""
    name, language = request.param
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return name, language, CHARTS[name](language)


def test_a_chart_is_well_formed_and_scales_with_its_place(drawn):
    root = ET.fromstring(drawn[2])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox")
    assert root.get("width") is None
    assert root.get("height") is None


def test_axes_are_labelled_in_the_language_asked_for(drawn):
    name, language, svg = drawn
    label = {
        "lift": "lift",
        "gain": "gain",
        "precision_recall": "precision",
        "reliability": "observed",
        "influence": "contribution",
        "groups": "mean",
        "lists": "list_of",
    }[name]
    text = " ".join(ET.fromstring(svg).itertext())
    assert charts.WORDS[language][label] in text


def test_a_chart_loads_nothing_and_tells_no_date(drawn):
    svg = drawn[2]
    references = re.findall(r'href="([^"]*)"', svg)
    assert all(ref.startswith(("#", "data:image/png;base64,")) for ref in references)
    assert "<script" not in svg
    assert "<metadata" not in svg
    assert not re.search(r"20\d\d-\d\d-\d\d", svg)


def test_a_chart_leaves_the_letters_to_the_browser(drawn):
    svg = drawn[2]
    families = set(re.findall(r"font-family: ([^;\"]*)", svg))
    assert families == {charts.FONTS}


def test_a_chart_is_small(drawn):
    assert len(drawn[2].encode()) < (120_000 if drawn[0] == "influence" else 25_000)


def test_the_same_table_gives_the_same_bytes(drawn):
    name, language, svg = drawn
    assert CHARTS[name](language) == svg


def test_drawing_leaves_the_global_settings_of_matplotlib_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    CHARTS["influence"]("en")
    assert dict(mpl.rcParams) == before


def test_both_languages_have_the_same_words():
    assert charts.WORDS["en"].keys() == charts.WORDS["zh"].keys()
    assert tuple(charts.GROUPS_ZH) == GROUPS


@pytest.mark.parametrize("language", charts.LANGUAGES)
def test_the_legend_of_lists_stands_above_the_lines_and_names_the_band(language):
    """Lines and band may be anywhere, so no corner of the chart is free."""
    root = ET.fromstring(charts.lists_chart(LISTS, 0.95, language=language))
    by_id = {element.get("id"): element for element in root.iter()}
    words = [(t.text, float(t.get("y") or t.get("transform").split()[1].rstrip(")"))) for t in root.iter(f"{SVG}text")]
    band = charts.WORDS[language]["band"].format(percent=95)
    frame = [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", by_id["patch_2"][0].get("d"))]
    named = {charts.WORDS[language][name] for name in ("model", "rule", "logistic")} | {band}
    placed = {text: y for text, y in words if text in named}
    assert placed.keys() == named
    assert max(placed.values()) < min(frame)


@pytest.mark.parametrize("language", charts.LANGUAGES)
def test_the_meaning_of_colours_stands_above_the_dots(language):
    """Dots may be anywhere: in the lower corner it lay on those of the last features."""
    root = ET.fromstring(CHARTS["influence"](language))
    by_id = {element.get("id"): element for element in root.iter()}
    words = {t.text: float(t.get("y") or t.get("transform").split()[1].rstrip(")")) for t in root.iter(f"{SVG}text")}
    frame = [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", by_id["patch_2"][0].get("d"))]
    assert max(words[charts.WORDS[language][name]] for name in ("value", "low", "high", "null")) < min(frame)


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("orders a day in the last 60 days against the customer's own rate", 2),
        ("最近30天日均使用分钟数与客户自身长期水平之比", 2),
        ("plan", 1),
        ("x" * 60, 1),
    ],
)
def test_the_name_of_a_feature_is_whole_in_as_many_lines_as_it_takes(label, lines):
    shown = charts._in_lines(label)
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", label)
    assert len(shown.split("\n")) == lines


def test_no_name_of_a_feature_is_cut():
    long = "change of the discount share from the 90 days before to the last 90 days"
    svg = charts.influence_chart(VALUES, np.nan_to_num(VALUES), [long, *LABELS[1:]], seed=1, language="en")
    assert long in " ".join(" ".join(ET.fromstring(svg).itertext()).split())


def test_null_values_are_grey_and_equal_values_have_equal_colours():
    colours = charts._colours(np.array([1.0, np.nan, 1.0, 2.0]))
    assert np.array_equal(colours[0], colours[2])
    assert not np.array_equal(colours[0], colours[3])
    assert colours[1][0] == colours[1][1] == colours[1][2]
