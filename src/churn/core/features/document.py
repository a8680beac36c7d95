"""The catalogue of features as a page: docs/features.md is this text, and a test compares them."""

from collections.abc import Iterator

from churn.core.dataset import ROLE_NOUNS
from churn.core.features.feature import GROUPS, Feature

HEAD = """# Features

One row of the features table is one customer at one `as_of`. A window of n days is `[as_of - n days, as_of)`, and only
events that were recorded before `as_of` are seen. Where a data set has nouns of its own
(`nouns` in `conf/data/`), they take the place of purchase, use, complaint and so on. A data set has the features of the event roles that it declares, and one text column for each customer
attribute.

This page is written by `churn features --write docs/features.md` from `src/churn/core/features/`; do not edit it.
"""


def document(catalogue: tuple[Feature, ...]) -> str:
    """The catalogue as Markdown: a table for each group with name, words, unit, window and the meaning of null."""
    return HEAD + "".join(_group(group, [f for f in catalogue if f.group == group]) for group in GROUPS)


def _group(group: str, members: list[Feature]) -> str:
    if not members:
        return ""
    return "\n".join(
        [
            "",
            f"## {group}",
            "",
            "| name | role | English | 中文 | unit | window | null means |",
            "|---|---|---|---|---|---|---|",
            *_rows(members),
            "",
        ]
    )


def _rows(members: list[Feature]) -> Iterator[str]:
    for f in members:
        yield f"| `{f.name}` | {f.role or 'any'} | {f.words('en', ROLE_NOUNS)} | {f.words('zh', ROLE_NOUNS)} | {f.unit} | {f.window} | {f.null or 'never null'} |"
