# ruff: noqa: S608 - columns are quoted by the caller
"""Keys within keys of JSON lines: `{"customer": {"id": 7}}` has the column `customer.id`."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

Way = tuple[str, ...]
"""The way to a value: `("customer", "id")`."""


def columns(con: "duckdb.DuckDBPyConnection", lines: str) -> dict[str, str]:
    """Column → JSON pointer, sorted by column, of every value in the objects of the column `json` of a query.

    An object within an object is not a column, but its values are, as OUTER.INNER. A key that is now an object and now
    something else is one column, as text; so are lists.
    """
    found = con.execute(f"SELECT json_group_structure(json::JSON) FROM ({lines})").fetchall()
    structure = json.loads(found[0][0]) if found and found[0][0] else {}
    ways = sorted(_ways(structure), key=len) if isinstance(structure, dict) else []
    # A key that holds a dot itself comes first: it is what the file says literally.
    names: dict[str, str] = {}
    for way in ways:
        names.setdefault(".".join(way), _pointer(way))
    return dict(sorted(names.items()))


def _ways(structure: dict[str, Any], before: Way = ()) -> Iterator[Way]:
    for key, inner in structure.items():
        if isinstance(inner, dict) and inner:
            yield from _ways(inner, (*before, key))
        else:
            yield (*before, key)


def _pointer(way: Way) -> str:
    """A way as JSON pointer (RFC 6901), in which no sign has another meaning."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in way)
