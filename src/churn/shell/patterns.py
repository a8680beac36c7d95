"""Patterns: what names some files and no others."""

import re
from pathlib import Path


def pattern_of(files: list[Path]) -> str | None:
    """A path or pattern that names exactly these files."""
    if len(files) == 1:
        return files[0].as_posix()
    levels = [path.parts for path in files]
    if len(set(map(len, levels))) > 1:
        return None
    pattern = [_one_pattern(sorted(set(parts))) for parts in zip(*levels, strict=True)]
    if None in pattern:
        return None
    root = Path(files[0].anchor) if files[0].is_absolute() else Path()
    inside = "/".join(part for part in pattern if part and part != files[0].anchor)
    return (root / inside).as_posix() if sorted(root.glob(inside)) == sorted(files) else None


def _one_pattern(names: list[str]) -> str | None:
    """A name, or a pattern for several; None if they hold what is a pattern itself."""
    if len(names) == 1:
        return names[0]
    before = shared_start(names)
    after = shared_start([name[len(before) :][::-1] for name in names])[::-1]
    return None if re.search(r"[*?\[]", before + after) else f"{before}*{after}"


def shared_start(texts: list[str]) -> str:
    """The letters that all texts begin with; the first and the last of them in order differ the most."""
    first, last = min(texts), max(texts)
    n = next((place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first))
    return first[:n]


def numberless(name: str) -> str:
    """A name with a sign in place of its numbers and what divides them: folders of months have one such name.

    >>> numberless("orders_2023-01.csv"), numberless("year=2023"), numberless("orders")
    ('orders#csv', 'year#', 'orders')
    """
    return re.sub(r"[\W_]*\d[\d\W_]*", "#", name)
