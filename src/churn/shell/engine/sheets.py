"""Workbooks: a sheet of an XLSX file as rows. A workbook has at most 1,048,576 of them, so a sheet fits the memory."""

from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

from churn.shell.engine.header import named_at_the_ends
from churn.shell.raw import RawFile
from churn.words.errors import ContractFault, IntegrityFault

_TITLES_MOST = 20


def names(file: RawFile) -> list[str]:
    """The names of the sheets that hold anything, in the order of the workbook."""
    book = _book(file)
    return [name for name in book.sheet_names if book.get_sheet_by_name(name).to_python(nrows=1)]


def above(file: RawFile, sheet: str | None) -> int:
    """How many rows of a sheet stand above the names of its columns: titles, each in one cell, and blank rows."""
    book = _book(file)
    found = book.get_sheet_by_name(book.sheet_names[0] if sheet is None else sheet)
    cells = found.to_python(skip_empty_area=True, nrows=_TITLES_MOST + 1)
    full = [place for place, row in enumerate(cells) if sum(cell not in (None, "") for cell in row) > 1]
    return full[0] if full else 0


def rows(file: RawFile, sheet: str | None, header: tuple[str, ...], skip: int) -> tuple[pa.Table, int]:
    """The rows of a sheet as a table, and the number of its first row in the sheet, from 1.

    A column is of numbers, of times or of truth values if all its cells are; otherwise its cells are texts. Excel
    stores whole numbers as floating point; they come back whole, so that an id stays the id it was.

    Parameters
    ----------
    sheet : str or None
        Its name; None takes the first one.
    header : tuple of str
        Names of the columns of a sheet without a header.
    skip : int
        Rows above the header, blank ones at the top of the sheet not counted.
    """
    what = f"{file.path} (source {file.source})"
    book = _book(file)
    if sheet is not None and sheet not in book.sheet_names:
        raise ContractFault(f"{what} has no sheet {sheet}; its sheets are {', '.join(book.sheet_names)}")
    found = book.get_sheet_by_name(book.sheet_names[0] if sheet is None else sheet)
    cells = found.to_python(skip_empty_area=True)[skip:]
    first = (found.start[0] if found.start else 0) + 1 + skip
    if not cells:
        raise ContractFault(f"{what}: its sheet {found.name} holds nothing; declare another `sheet`")
    titles = list(header) or named_at_the_ends([_text(cell) or "" for cell in cells[0]])
    body = cells if header else cells[1:]
    if len(titles) != len(cells[0]):
        raise ContractFault(f"{what}: `header` names {len(titles)} columns, but the sheet has {len(cells[0])}")
    unnamed = [place + 1 for place, title in enumerate(titles) if not title]
    twice = sorted({title for title in titles if title and titles.count(title) > 1})
    if unnamed or twice:
        said = f"column {unnamed[0]} has no name" if unnamed else f"{', '.join(twice)} stands in it twice"
        raise ContractFault(f"{what}: the first row of sheet {found.name} must name the columns, but {said}")
    columns = {title: _column([row[place] for row in body]) for place, title in enumerate(titles)}
    return pa.table(columns), first + (0 if header else 1)


def _book(file: RawFile) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        return CalamineWorkbook.from_path(file.path)
    except (CalamineError, OSError) as error:
        raise IntegrityFault(
            f"{file.path} ({file.path.stat().st_size:,} bytes) cannot be opened as a workbook: {error}. Copy it "
            f"again, or save it as CSV in UTF-8"
        ) from error


def _column(cells: list[Any]) -> pa.Array:
    """Cells as a column of the plainest type that all of them have; an empty cell is null."""
    given = [None if cell is None or cell == "" else cell for cell in cells]
    kinds = {type(cell) for cell in given if cell is not None}
    if kinds == {bool}:
        return pa.array(given, pa.bool_())
    if kinds and kinds <= {int, float}:
        whole = all(cell is None or (float(cell).is_integer() and abs(cell) < 2**53) for cell in given)
        if whole:
            return pa.array([None if cell is None else int(cell) for cell in given], pa.int64())
        return pa.array([None if cell is None else float(cell) for cell in given], pa.float64())
    if kinds and kinds <= {date, datetime}:
        moments = [
            cell if cell is None or isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - a sheet has local times
            for cell in given
        ]
        return pa.array(moments, pa.timestamp("us"))
    return pa.array([_text(cell) for cell in given], pa.string())


def _text(cell: Any) -> str | None:
    """A cell as it would be written in a CSV file."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell).strip()
