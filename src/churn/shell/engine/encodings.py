"""Encodings: what a text that is not UTF-8 is probably written in."""

import re
from pathlib import Path

from churn.shell.engine import packed

GBK, LATIN_1 = "gb18030", "latin-1"
CALLED = {GBK: "GBK", LATIN_1: "Latin-1"}
SAMPLE_BYTES = 1 << 22
"""Bytes that are looked at to guess: a few thousand rows."""
_HIGH = re.compile(rb"[\x80-\xff]+")


def likely(path: Path) -> str:
    """The encoding of a file that is not UTF-8: `gb18030` or `latin-1`."""
    with packed.unpacked(path) as handle:
        return guessed(handle.read(SAMPLE_BYTES))


def guessed(sample: bytes) -> str:
    """`gb18030` where bytes beyond ASCII come in pairs, as Chinese characters do; else `latin-1`.

    An umlaut of Latin-1 stands alone between letters, and could be the first half of a pair only by accident.
    """
    runs = _HIGH.findall(sample)
    alone = sum(len(run) == 1 for run in runs)
    return GBK if runs and alone * 2 <= len(runs) else LATIN_1
