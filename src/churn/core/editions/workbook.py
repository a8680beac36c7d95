"""The list as an Excel workbook for the people who call: one sheet to work from, one that explains it."""

import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from churn.core.amounts import (
    COUNT_FORMAT,
    DATE_FORMAT,
    INSTANT_FORMAT,
    NUMBER_FORMAT,
    SHARE_FORMAT,
    count,
    money,
    money_format,
    share,
)
from churn.core.editions.headings import HEADINGS
from churn.core.editions.summary import Summary, is_midnight
from churn.core.editions.workbook_words import WORDS

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

HEAD_ROWS = 100_000
"""Customers in a workbook. Nobody works through more, Excel ends at 1,048,576 rows, and each 100,000 cost seconds."""
CELL_CHARACTERS = 32_767
"""Excel's limit; XlsxWriter would leave the cell empty without a word."""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that Excel shows as _x0000_ and the like."""

LINE_POINTS, PADDING_POINTS = 15, 4.5
"""Height of a line of Excel's standard font, and what lies around it; Excel rounds to three quarters of a point."""
ABOUT_WIDTHS = (28, 96)
MOST_LINES = 20
"""Excel refuses rows of more than 409 points."""

INK, MUTED, LINE, HEADER = "#1F2933", "#52606D", "#E1E5EA", "#243B53"
RISK_BAR, VALUE_BAR, RISK_TINT = "#F9C7A3", "#B7D5EE", "#FDE5D3"
"""Warm means risk and cool means money, here and on the page."""


def workbook(listed: pa.Table, about: Summary, *, language: str, verdict: str) -> bytes:
    """An XLSX file of the first `HEAD_ROWS` customers of a RISK_LIST, the same bytes for the same input.

    Texts are written as texts: an id keeps its zeros, and what looks like a formula or a link stays what it says. No
    cell holds a formula.

    Parameters
    ----------
    listed
        RISK_LIST.
    about
        Its summary.
    language
        `en` or `zh`: headings, reasons and explanations.
    verdict
        What the evaluation says about model and rule, in that language.
    """
    from xlsxwriter import Workbook

    buffer = BytesIO()
    words = WORDS[language]
    with Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": words["title"], "subject": about.as_of_text, "created": about.as_of})
        _list_sheet(book, listed.slice(0, HEAD_ROWS), about, language)
        _about_sheet(book, len(listed), about, language, verdict)
    return buffer.getvalue()


def plain(text: str) -> str:
    """The text as a cell can hold it: without control characters, at most `CELL_CHARACTERS` long."""
    text = CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def _list_sheet(book: "Workbook", head: pa.Table, about: Summary, language: str) -> None:
    sheet = book.add_worksheet(WORDS[language]["list"])
    formats = _formats(book, about)
    header = book.add_format(
        {"bold": True, "font_color": "white", "bg_color": HEADER, "text_wrap": True, "valign": "vcenter", "border": 0}
    )
    sheet.set_row(0, 34)
    for place, heading in enumerate(HEADINGS):
        sheet.set_column(place, place, heading.width, formats[heading.kind])
        sheet.write_string(0, place, heading.label[language], header)
        _write_column(sheet, place, heading.kind, head[heading.column(language)], about, formats[heading.kind])
    _row_heights(sheet, head, language)
    _colour(sheet, len(head))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(head), len(HEADINGS) - 1)
    customer = _place("customer_id")
    sheet.ignore_errors({"number_stored_as_text": f"{_letter(customer)}2:{_letter(len(HEADINGS) - 1)}{len(head) + 1}"})
    _print_setup(sheet, len(head), about, language)


def _write_column(
    sheet: "Worksheet", place: int, kind: str, column: pa.ChunkedArray, about: Summary, style: "Format"
) -> None:
    """One column below its heading; a null stays an empty cell."""
    if kind == "date":
        for row in range(1, len(column) + 1):
            sheet.write_datetime(row, place, about.as_of, style)
        return
    write = sheet.write_string if kind in ("text", "sentence") else sheet.write_number
    for row, value in enumerate(column.to_pylist(), start=1):
        if value is not None:
            write(row, place, plain(value) if isinstance(value, str) else value, style)


def _row_heights(sheet: "Worksheet", head: pa.Table, language: str) -> None:
    """Rows as high as their longest sentence; not every reader of XLSX finds that out by itself."""
    sentences = [heading for heading in HEADINGS if heading.kind == "sentence"]
    columns = [head[heading.column(language)].to_pylist() for heading in sentences]
    for row, texts in enumerate(zip(*columns, strict=True), start=1):
        lines = max(_lines(text or "", heading.width) for text, heading in zip(texts, sentences, strict=True))
        sheet.set_row(row, _height(lines))


def _lines(text: str, width: int) -> int:
    """Lines that a text takes in a column. A Chinese character is as wide as two letters, and three bytes long."""
    letters = (len(text) + len(text.encode())) // 2
    return max(1, min(-(-letters // width), MOST_LINES))


def _height(lines: int) -> float:
    return LINE_POINTS * lines + PADDING_POINTS


def _formats(book: "Workbook", about: Summary) -> dict[str, "Format"]:
    """Kind of column → how its cells look."""
    cell = {"valign": "top", "font_color": INK, "bottom": 1, "bottom_color": LINE}
    # A text that begins with = would become a formula when somebody edits the cell; the prefix keeps it a text.
    text = {"num_format": "@", "quote_prefix": True}
    kinds: dict[str, dict[str, Any]] = {
        "count": {"num_format": COUNT_FORMAT, "align": "center", "bold": True},
        "text": text,
        "sentence": {**text, "text_wrap": True, "align": "left", "indent": 1},
        "share": {"num_format": SHARE_FORMAT},
        "number": {"num_format": NUMBER_FORMAT},
        "money": {"num_format": money_format(about.currency)},
        "date": {"num_format": DATE_FORMAT if is_midnight(about.as_of) else INSTANT_FORMAT, "align": "left"},
    }
    return {kind: book.add_format({**cell, **own}) for kind, own in kinds.items()}


def _colour(sheet: "Worksheet", n_rows: int) -> None:
    """Bars for probability and money at risk, a tint for the percentile."""
    bar = {"type": "data_bar", "bar_solid": True, "data_bar_2010": True, "min_type": "num", "min_value": 0}
    score, percentile, at_risk = _place("score"), _place("percentile"), _place("value_at_risk")
    whole = {"max_type": "num", "max_value": 1}
    sheet.conditional_format(1, score, n_rows, score, {**bar, **whole, "bar_color": RISK_BAR})
    sheet.conditional_format(1, at_risk, n_rows, at_risk, {**bar, "bar_color": VALUE_BAR})
    tint = {"type": "2_color_scale", "min_type": "num", "min_value": 50, "max_type": "num", "max_value": 100}
    sheet.conditional_format(
        1, percentile, n_rows, percentile, {**tint, "min_color": "#FFFFFF", "max_color": RISK_TINT}
    )


def _print_setup(sheet: "Worksheet", n_rows: int, about: Summary, language: str) -> None:
    words = WORDS[language]
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    # As-of stands in the header of every page, and paper has no room for what is the same in every row.
    sheet.print_area(0, 0, n_rows, _place("staying"))
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    # In headers of Excel & begins a code; the texts are ours and short, except the name of the data set.
    name = about.name.replace("&", "&&")[:100]
    sheet.set_header(f"&L&B{words['title']}&R{name} · {about.as_of_text}")
    sheet.set_footer(f"&C{words['page']} &P / &N")


def _about_sheet(book: "Workbook", n_customers: int, about: Summary, language: str, verdict: str) -> None:
    words = WORDS[language]
    sheet = book.add_worksheet(words["about"])
    wrap = {"text_wrap": True, "valign": "top"}
    title = book.add_format({"bold": True, "font_size": 16, "font_color": HEADER})
    label = book.add_format({**wrap, "bold": True, "font_color": MUTED, "bottom": 1, "bottom_color": LINE})
    value = book.add_format(
        {**wrap, "font_color": INK, "bottom": 1, "bottom_color": LINE, "num_format": "@", "quote_prefix": True}
    )
    header = book.add_format({"bold": True, "font_color": "white", "bg_color": HEADER})
    for place, width in enumerate(ABOUT_WIDTHS):
        sheet.set_column(place, place, width)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, words["title"], title)
    facts = _facts(n_customers, about, language, verdict)
    if about.notice[language]:
        sheet.activate()  # it opens with what must be known before the list is read
    meanings = [(heading.label[language], heading.meaning[language]) for heading in HEADINGS]
    row = 2
    for name, text in facts:
        sheet.set_row(row, _height(_lines(text, ABOUT_WIDTHS[1])))
        sheet.write_string(row, 0, name, label)
        sheet.write_string(row, 1, plain(text), value)
        row += 1
    row += 1
    sheet.write_string(row, 0, words["column"], header)
    sheet.write_string(row, 1, words["meaning"], header)
    for name, text in meanings:
        row += 1
        sheet.set_row(row, _height(_lines(text, ABOUT_WIDTHS[1])))
        sheet.write_string(row, 0, name, label)
        sheet.write_string(row, 1, text, value)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _facts(n_customers: int, about: Summary, language: str, verdict: str) -> list[tuple[str, str]]:
    words = WORDS[language]
    shown = words["head"] if n_customers > HEAD_ROWS else words["whole"]

    def part(a: float, whole: float, text_a: str, text_whole: str) -> str:
        return words["of"].format(part=text_a, whole=text_whole, share=share(a / whole if whole else 0.0))

    notice = about.notice[language]
    return [
        *([(words["notice"], notice)] if notice else []),
        (words["churn"], about.churn[language]),
        (words["as_of"], f"{about.as_of_text} ({about.time_zone})"),
        (words["source"], about.name),
        (words["n_customers"], count(about.n_customers)),
        (
            words["expected_churners"],
            part(about.expected_churners, n_customers, count(about.expected_churners), count(n_customers)),
        ),
        (words["expected_value"].format(days=about.horizon_days), money(about.expected_value, about.currency)),
        (
            words["value_at_risk"],
            part(
                about.value_at_risk,
                about.expected_value,
                money(about.value_at_risk, about.currency),
                money(about.expected_value, about.currency),
            ),
        ),
        (words["verdict"], verdict),
        (words["model_version"], about.model_version),
        (words["shown"], shown.format(rows=count(min(n_customers, HEAD_ROWS)), all=count(n_customers))),
    ]


def _place(name: str) -> int:
    return [heading.name for heading in HEADINGS].index(name)


def _letter(place: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return xl_col_to_name(place)
