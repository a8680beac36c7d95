"""The only disk access for tables and results: checked when written, checked when read, never half a file.

Every write goes to a temporary name in the same folder, is forced to the disk, and then takes the place of the old
file in one step. Whoever reads meanwhile sees the old file or the new one; a killed run leaves the old one.
"""

from churn.shell.store.files import (
    digest,
    read_json,
    read_text,
    read_texts,
    write_files,
    write_json,
    write_text,
)
from churn.shell.store.kept import Remade, write_again
from churn.shell.store.paths import PATHS
from churn.shell.store.pieces import PIECE_BYTES, most_under_way, side_by_side
from churn.shell.store.tables import (
    PIECE_ROWS,
    batches,
    read,
    schema,
    together,
    whole_customers,
    write,
    write_batches,
)

__all__ = [
    "PATHS",
    "PIECE_BYTES",
    "PIECE_ROWS",
    "Remade",
    "batches",
    "digest",
    "most_under_way",
    "read",
    "read_json",
    "read_text",
    "read_texts",
    "schema",
    "side_by_side",
    "together",
    "whole_customers",
    "write",
    "write_again",
    "write_batches",
    "write_files",
    "write_json",
    "write_text",
]
