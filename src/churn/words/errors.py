"""The faults that a user may meet, each with its exit code.

Every class here is shown by the command line as one message without a traceback. A message says what is wrong,
where, how many, and what to do about it.
"""

from collections.abc import Sequence
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command, so that a scheduler can tell what happened."""

    OK = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    CONTRACT = 4
    NOT_ENOUGH_DATA = 5
    GATE = 6
    DRIFT = 7
    LOCKED = 8
    DISK = 9
    INTEGRITY = 10
    STALE = 11
    WARNINGS = 12
    TRACKING = 13
    INTERRUPTED = 130
    TERMINATED = 143


class Fault(Exception):  # noqa: N818 - the product calls what a user may meet a fault
    """A fault that is explained to the user; anything else that escapes is a bug and keeps its traceback."""

    code = Exit.BUG


class UsageFault(Fault):
    """The command was called in a way that it does not offer."""

    code = Exit.USAGE


class ConfigFault(Fault):
    """A key, a type, a value or a file of the configuration is wrong."""

    code = Exit.CONFIG


class ContractFault(Fault):
    """The input breaks the data contract."""

    code = Exit.CONTRACT


class NotEnoughData(Fault):
    """The input is well-formed, but too small or too one-sided to learn from."""

    code = Exit.NOT_ENOUGH_DATA


class GateFault(Fault):
    """A result did not reach the quality that publishing asks for."""

    code = Exit.GATE


class DriftFault(Fault):
    """Data, scores or outcomes moved so far from what they were that nobody should act on them unseen."""

    code = Exit.DRIFT


class LockedFault(Fault):
    """Another run holds the lock."""

    code = Exit.LOCKED


class DiskFault(Fault):
    """The disk is full, read-only, or not ours to write."""

    code = Exit.DISK


class IntegrityFault(Fault):
    """A file is not what its digest says, or cannot be what its name says."""

    code = Exit.INTEGRITY


class StaleFault(Fault):
    """The input, or the model, is older or less complete than it must be."""

    code = Exit.STALE


class WarningsFault(Fault):
    """The list was delivered, but with warnings, and the caller asked to be stopped by them."""

    code = Exit.WARNINGS


class TrackingFault(Fault):
    """The tracking store was required and could not be reached."""

    code = Exit.TRACKING


EXAMPLES = 5
"""At most so many examples in a message: enough to see what they have in common."""


def message(
    what: str, *, where: str = "", many: str = "", such_as: Sequence[str] = (), kept_in: str = "", do: str = ""
) -> str:
    """The parts of a message in the order in which a reader asks for them; those that are empty are left out.

    >>> message("the file is empty", where="orders.csv", do="export it again")
    'the file is empty · orders.csv · export it again'
    """
    examples = f"such as {', '.join(such_as[:EXAMPLES])}" if such_as else ""
    kept = f"kept in {kept_in}" if kept_in else ""
    return " · ".join(part for part in (what, where, many, examples, kept, do) if part)


def masked(name: str) -> str:
    """An id that a colleague may see on a screen: its first two characters, none of a shorter id.

    >>> masked("customer42"), masked("a")
    ('cu…', '…')
    """
    return f"{name[:2]}…" if len(name) > 2 else "…"
