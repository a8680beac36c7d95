"""The workbook: what Excel would read out of it."""

import zipfile
from io import BytesIO

import pytest
from openpyxl import load_workbook

from churn.core.editions import workbook as module
from churn.core.editions.headings import HEADINGS
from churn.core.editions.summary import summary
from churn.core.editions.workbook import CELL_CHARACTERS, plain, workbook
from tests.core.list_world import DATASET, DEFINITION, EVALUATION, listed

# Excel draws our bars by an extension of 2010 that openpyxl does not read.
pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")

FORMULA = '=HYPERLINK("http://example.org";"call me")'
LONG_ID = "123456789012345678901"
WORLD = {
    "a_day": {"007": 4.0, FORMULA: 3.0, LONG_ID: 2.0, "客户\x00一": None},
    "said": f"""
    007 | leaving | 1 | No basket for 41 days; usually every 6 days
    007 | staying | 1 | http://example.org/ is no link
    {LONG_ID} | leaving | 1 | @SUM(A1:A9)
    """,
}
SCORES = {"007": 0.5, FORMULA: 0.25, LONG_ID: 0.125, "客户\x00一": 0.75}


def built(language="en"):
    table = listed(SCORES, **WORLD)
    about = summary(table, dataset=DATASET, definition=DEFINITION, order=EVALUATION["list"])
    return workbook(table, about, language=language, verdict={"en": "Better.", "zh": "更好。"}[language])


def test_a_workbook_of_a_list_in_another_order_opens_with_the_notice():
    table = listed(SCORES, **WORLD)
    said = {"order": "rule", "en": "In the order of the rule.", "zh": "按规则排序。"}
    about = summary(table, dataset=DATASET, definition=DEFINITION, order=said)
    book = load_workbook(BytesIO(workbook(table, about, language="zh", verdict="并不更好。")))
    assert book.active.title == "名单说明"
    assert ["请先阅读", "按规则排序。"] in [row[:2] for row in cells(book.active)]
    assert opened().active.title == "At risk"


def opened(language="en"):
    return load_workbook(BytesIO(built(language)))


def cells(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_a_row_says_what_the_list_says():
    header, first, *_ = cells(opened()["At risk"])
    row = dict(zip(header, first, strict=True))
    assert header == [heading.label["en"] for heading in HEADINGS]
    assert (row["Rank"], row["Customer"], row["Probability of leaving"]) == (1, "007", 0.5)
    assert (row["Expected value"], row["Value at risk"]) == (4 * 28, 2 * 28)
    assert row["Main reason"] == "No basket for 41 days; usually every 6 days"
    assert row["Second reason"] is None
    assert row["As of"].isoformat() == "2018-01-01T00:00:00"


def test_the_chinese_workbook_has_chinese_headings_reasons_and_sheets():
    book = opened("zh")
    header, first, *_ = cells(book.worksheets[0])
    assert book.sheetnames == ["流失风险名单", "名单说明"]
    assert header == [heading.label["zh"] for heading in HEADINGS]
    assert "中No basket for 41 days; usually every 6 days" in first
    assert "截至日前 90 天内有过购物的客户；其后 28 天内没有购物即视为流失。" in [c[1] for c in cells(book["名单说明"])]


def test_ids_keep_their_zeros_and_all_their_digits():
    ids = opened()["At risk"]["B"][1:]
    assert [cell.value for cell in ids] == ["007", FORMULA, LONG_ID, "客户\N{REPLACEMENT CHARACTER}一"]
    assert {cell.data_type for cell in ids} == {"s"}
    assert {cell.number_format for cell in ids} == {"@"}


def test_no_cell_of_any_sheet_is_a_formula_or_a_link():
    for sheet in opened().worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f", cell.coordinate
                assert cell.hyperlink is None, cell.coordinate
    archive = zipfile.ZipFile(BytesIO(built()))
    assert all(b"<f>" not in archive.read(name) for name in archive.namelist() if "worksheets" in name)
    assert not [name for name in archive.namelist() if "vba" in name.lower() or "external" in name.lower()]


def test_a_text_stays_a_text_when_somebody_edits_the_cell():
    assert all(cell.quotePrefix for cell in opened()["At risk"]["B"][1:])


def test_the_header_stays_in_sight_filters_and_is_printed_on_every_page():
    sheet = opened()["At risk"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:N5"
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)


def test_probabilities_are_per_cent_and_money_has_its_currency():
    formats = {cell.column_letter: cell.number_format for cell in opened()["At risk"][2]}
    assert formats["C"] == formats["D"] == formats["E"] == "0.0%"
    assert formats["G"] == formats["H"] == '"$"#,##0.00'
    assert formats["M"] == "yyyy-mm-dd"


def test_risk_and_money_are_shown_as_bars():
    rules = {str(area.sqref): [rule.type for rule in area.rules] for area in opened()["At risk"].conditional_formatting}
    assert rules == {"C2:C5": ["dataBar"], "H2:H5": ["dataBar"], "F2:F5": ["colorScale"]}


def test_the_second_sheet_explains_every_column_and_sums_the_list_up():
    said = {row[0]: row[1] for row in cells(opened()["About this list"]) if row[1]}
    assert {heading.label["en"]: heading.meaning["en"] for heading in HEADINGS}.items() <= said.items()
    assert said["Customers scored"] == "4"
    assert said["Expected to leave"] == "2 of 4 (40.6%)"  # .5 + .25 + .125 + .75 = 1.625
    assert said["Value at risk in all"] == "$84.00 of $252.00 (33.3%)"  # 56 + 21 + 7 of 112 + 84 + 56
    assert said["Better than a simple rule?"] == "Better."
    assert said["Rows shown"] == "All 4 customers."


def test_beyond_its_head_the_workbook_says_where_the_others_are(monkeypatch):
    monkeypatch.setattr(module, "HEAD_ROWS", 2)
    book = opened()
    said = {row[0]: row[1] for row in cells(book["About this list"])}
    assert book["At risk"].max_row == 1 + 2
    assert said["Rows shown"] == "The first 2 of 4 customers; all of them are in risk_list.csv and risk_list.parquet."


@pytest.mark.parametrize("language", ["en", "zh"])
def test_two_builds_are_the_same_bytes(language):
    assert built(language) == built(language)


def test_a_text_too_long_for_a_cell_is_cut_and_not_lost():
    assert plain("a" * CELL_CHARACTERS) == "a" * CELL_CHARACTERS
    assert plain("a" * (CELL_CHARACTERS + 1)) == "a" * (CELL_CHARACTERS - 1) + "…"


def test_a_row_is_as_high_as_its_longest_sentence():
    short, long = "short", "a sentence that takes more than one line " * 4
    table = listed({"a": 0.9, "b": 0.1}, said=f"a | leaving | 1 | {long}\nb | leaving | 1 | {short}")
    about = summary(table, dataset=DATASET, definition=DEFINITION, order=EVALUATION["list"])
    sheet = load_workbook(BytesIO(workbook(table, about, language="en", verdict="")))["At risk"]
    # 164 letters in a column of 34 are five lines.
    assert (sheet.row_dimensions[2].height, sheet.row_dimensions[3].height) == (5 * 15 + 4.5, 15 + 4.5)
