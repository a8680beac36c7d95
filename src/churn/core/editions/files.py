"""The files of a delivery: the list for machines and for people, and the page, as bytes by file name.

CSV and JSON come in pieces, so that a million customers take no more memory than their table.
"""

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from churn.core.dataset import Dataset
from churn.core.definitions import Definition
from churn.core.editions.headings import LANGUAGES
from churn.core.editions.page import page
from churn.core.editions.summary import summary
from churn.core.editions.workbook import workbook
from churn.core.usability import usability

INSTANT_TEXT = "%Y-%m-%dT%H:%M:%SZ"
FORMULA_START = "^[=+\\-@\t\r]"
"""How a cell begins that Excel would run as a formula when it opens a CSV file (OWASP, CSV injection)."""
PIECE_ROWS = 20_000
"""Rows that are text or Python objects at the same time."""


def delivery_files(
    listed: pa.Table,
    *,
    dataset: Dataset,
    definition: Definition,
    evaluation: dict,
    figures: dict[str, str],
    reconciliation: dict,
    digests: dict[str, str],
) -> dict[str, bytes | Iterator[bytes]]:
    """Everything that a delivery holds but its manifest: file name → its bytes, the same for the same input.

    Where they come in pieces, these can be taken once.

    `risk_list.csv`, `risk_list.json`, `risk_list.parquet` hold every customer and every column of RISK_LIST under its
    name. `risk_list_en.xlsx`, `risk_list_zh.xlsx` and `index.html` are for people. `docs/risk_list.md` explains them.

    Parameters
    ----------
    listed
        RISK_LIST with at least one customer.
    evaluation
        What `churn.core.evaluation` found, as in reports/evaluation.json.
    figures
        Name of a figure → its SVG text, as in reports/figures.
    reconciliation
        What became of the rows that were read, as in reports/events.json.
    digests
        File of the model → SHA-256, as in models/current/digests.json.
    """
    about = summary(listed, dataset=dataset, definition=definition, order=evaluation["list"])
    books = {
        f"risk_list_{language}.xlsx": workbook(
            listed, about, language=language, verdict=evaluation["verdict"][language]
        )
        for language in LANGUAGES
    }
    # What somebody should know of the data stands below the table of its sources, the worst first.
    found = usability(dataset, reconciliation).findings
    counted = {**reconciliation, "warnings": [finding.text for finding in found]}
    html = page(listed, about, evaluation=evaluation, figures=figures, reconciliation=counted, digests=digests)
    return {
        "index.html": html.encode(),
        "risk_list.csv": csv_lines(listed),
        "risk_list.json": json_lines(listed),
        "risk_list.parquet": parquet(listed),
        **books,
    }


def csv_lines(listed: pa.Table) -> Iterator[bytes]:
    """UTF-8 without byte order mark, columns by name, numbers in full, one line a customer; in pieces.

    For machines (a CRM wants it so; Salesforce refuses the mark): ids are exact, whatever they begin with. Sentences
    that begin like a formula get an apostrophe before them, should somebody open the file in Excel after all.
    """
    from pyarrow import csv

    for start in range(0, max(len(listed), 1), PIECE_ROWS):
        piece = _without_formulas(_with_instant_text(listed.slice(start, PIECE_ROWS)))
        buffer = pa.BufferOutputStream()
        csv.write_csv(piece, buffer, csv.WriteOptions(include_header=not start))
        yield buffer.getvalue().to_pybytes()


def json_lines(listed: pa.Table) -> Iterator[bytes]:
    """A JSON array in pieces: one object a customer, one a line, with the columns of RISK_LIST as keys."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
    before = "[\n"
    for start in range(0, len(listed), PIECE_ROWS):
        rows = _with_instant_text(listed.slice(start, PIECE_ROWS)).to_pylist()
        yield (before + ",\n".join(map(encode, rows))).encode()
        before = ",\n"
    yield b"\n]\n"


def parquet(listed: pa.Table) -> bytes:
    """RISK_LIST as it is, with its declared types."""
    from pyarrow.parquet import write_table

    buffer = pa.BufferOutputStream()
    write_table(listed, buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()


def _with_instant_text(listed: pa.Table) -> pa.Table:
    place = listed.column_names.index("as_of")
    # Of microseconds, strftime would write all six digits of the fraction.
    seconds = listed["as_of"].cast(pa.timestamp("s", "UTC"))
    return listed.set_column(place, "as_of", pc.strftime(seconds, format=INSTANT_TEXT))


def _without_formulas(listed: pa.Table) -> pa.Table:
    for place, field in enumerate(listed.schema):
        if field.name.startswith(("reason_", "staying_")):
            safe = pc.replace_substring_regex(listed[field.name], FORMULA_START, r"'\0")
            listed = listed.set_column(place, field.name, safe)
    return listed
