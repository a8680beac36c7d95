"""Contents: what a file is by its first bytes, and what is said where that is not what its name says."""

from churn.shell.engine.limits import LINE_BYTES
from churn.shell.raw import RawFile
from churn.words.errors import ContractFault, message

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HTML = (b"<!doctype", b"<html")


def check_text(file: RawFile, head: bytes) -> None:
    """Nothing, if a file that should be a text begins like one.

    Raises
    ------
    ContractFault
        If it begins like a file of another kind (exit 4).
    """
    what = f"{file.path} (source {file.source})"
    if not head.strip():
        raise ContractFault(f"{what} holds nothing; was an export interrupted?")
    if head[:4] == b"PAR1":
        raise ContractFault(f"{what} is a Parquet file by its content; rename it to end in .parquet")
    if head[:2] == b"\x1f\x8b":
        raise ContractFault(f"{what} is packed with gzip by its content; rename it to end in .gz")
    if head[:4] == b"PK\x03\x04":
        raise ContractFault(
            f"{what} is a ZIP or Excel file by its content; rename it to end in .xlsx if it is a workbook, or save it "
            f"as CSV in UTF-8"
        )
    if head[:2] in _UTF16 or head.count(b"\x00") > len(head) // 4:
        raise ContractFault(
            message(
                f"{what} is written in UTF-16",
                do="save it as CSV in UTF-8 (in Excel: CSV UTF-8; 另存为 CSV UTF-8), or declare `encoding: utf-16`",
            )
        )
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(_HTML):
        raise ContractFault(f"{what} looks like an HTML page, perhaps a log-in or error page; download the file again")


def seems(file: RawFile) -> str:
    """What a file is by its first bytes."""
    with file.path.open("rb") as handle:
        head = handle.read(LINE_BYTES)
    starts = {b"\x1f\x8b": "packed with gzip", b"PK\x03\x04": "a ZIP or Excel file", b"\xff\xfe": "text in UTF-16"}
    for start, name in starts.items():
        if head.startswith(start):
            return name
    first = head.splitlines()[0].strip() if head.strip() else b""
    if first.startswith(b"{"):
        return "JSON (.jsonl)"
    if first.lower().startswith(_HTML):
        return "an HTML page, perhaps a log-in or error page"
    return "text (.csv)" if b"\x00" not in head else "of no kind that is known here"
