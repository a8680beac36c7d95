"""The header of a delimited text: the names of its columns, and what is said when they cannot be used."""

import csv
import io

from churn.shell.engine import encodings
from churn.shell.raw import RawFile
from churn.words.errors import ContractFault, message


def names(file: RawFile, head: bytes, delimiter: str) -> list[str]:
    """The names of the columns of a delimited text, by its first line.

    Raises
    ------
    ContractFault
        If it is not UTF-8 or blank, is cut by another delimiter, or names a column twice or not at all (exit 4).
    """
    what = f"{file.path} (source {file.source})"
    first = head.removeprefix(b"\xef\xbb\xbf").splitlines()[0]
    try:
        line = first.decode("utf-8")
    except UnicodeDecodeError as error:
        name = encodings.guessed(head)
        raise ContractFault(
            message(
                f"{what}: byte {first[error.start]:#04x} of its header is not UTF-8; "
                f"it may be {encodings.CALLED[name]}",
                do=f"save it as CSV in UTF-8 (另存为 CSV UTF-8), or declare `encoding: {name}` for this source",
            )
        ) from error
    found = [name.strip() for name in next(csv.reader(io.StringIO(line), delimiter=delimiter), [])]
    if not found:
        raise ContractFault(
            f"{what}: its first line is blank, where the names of the columns should be; remove the line"
        )
    others = {other: line.count(other) for other in ",;\t|" if other != delimiter}
    likely = max(others, key=lambda other: others[other])
    if len(found) == 1 and others[likely]:
        raise ContractFault(
            f"{what}: one column when cut at {delimiter!r}, {others[likely] + 1} when cut at {likely!r}; "
            f"declare `delimiter: {likely!r}` for this source in conf/data/"
        )
    twice = sorted({name for name in found if name and found.count(name) > 1})
    if twice:
        raise ContractFault(
            f"{what}: its header names {', '.join(twice)} twice, so nobody knows which is meant; rename one"
        )
    found = named_at_the_ends(found)
    if "" in found:
        raise ContractFault(f"{what}: column {found.index('') + 1} of its header has no name; give it one")
    return found


def named_at_the_ends(names: list[str]) -> list[str]:
    """The names of columns, with one for the first and the last if they have none: `column_1`.

    Tools write row numbers into a first column without a name, and a delimiter at the end of a line makes a last one.
    """
    ends = {0, len(names) - 1}
    return [f"column_{place + 1}" if not name and place in ends else name for place, name in enumerate(names)]
