"""How times and texts may be written in files: the formats that a declaration can name."""

TIME_PARTS = {
    "Y": r"(?P<year>\d{4})",
    "y": r"(?P<short_year>\d{2})",
    "m": r"(?P<month>\d{1,2})",
    "d": r"(?P<day>\d{1,2})",
    "H": r"(?P<hour>\d{1,2})",
    "I": r"(?P<hour>\d{1,2})",
    "M": r"(?P<minute>\d{1,2})",
    "S": r"(?P<second>\d{1,2})",
    "f": r"(?P<fraction>\d{1,6})",
    "p": r"(?P<half>[AaPp][Mm])",
    "z": r"(?P<offset>Z|UTC|GMT|[+-]\d{2}:?\d{2})",
    "b": r"(?P<month_name>\p{L}{3,12})\.?",
    "a": r"\p{L}{2,12}\.?",
    "G": r"(?P<iso_year>\d{4})",
    "V": r"(?P<iso_week>\d{1,2})",
}
"""Parts of a declared time format, as in strptime. `%b` is the name of a month or its beginning (words/months.py has
the languages), `%a` that of a weekday, which says nothing that the date does not."""
ISO, EPOCH_S, EPOCH_MS, EPOCH_US = "iso", "epoch_s", "epoch_ms", "epoch_us"
DAY_NUMBER, WEEK_NUMBER = "day_number", "week_number"
COUNTED_DAYS = {DAY_NUMBER: 1, WEEK_NUMBER: 7}
"""Formats that count from a declared `start`, and how many days one is; number 0 is the start itself."""
ENCODINGS = ("utf-8", "utf-16", "gb18030", "big5", "shift_jis", "euc_kr", "latin-1", "cp1252", "cp1251")
"""How the text of a file may be written. GBK is the part of GB18030 that most Chinese programs write."""
