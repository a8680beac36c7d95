"""Work on pieces of a table with all cores busy: one thread reads, several work, and whoever asks may write."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Made = TypeVar("Made")

MOST_WORKERS = 4
"""Each worker holds a piece and what it makes of it, so more of them cost memory; one thread writes what they make, and
cannot keep up with more."""

PIECE_BYTES = 300_000_000
"""What a piece takes at most with all that is made of it, where a stage asks for as many rows as it does by default."""


def most_under_way() -> int:
    """Pieces that `side_by_side` holds at most: one a worker, one that waits, and the one that was given out."""
    return min(cores(), MOST_WORKERS) + 2


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(work: Callable[[Piece], Made], pieces: Iterable[Piece]) -> Iterator[Made]:
    """`work(piece)` for each piece, in order. At most one piece a worker, and one more, are in memory at a time.

    Threads pay off where `work` spends its time in numpy, Arrow or compiled code, which let others run meanwhile. What
    reading or `work` raises is raised here, and nothing more is read then.
    """
    workers = min(cores(), MOST_WORKERS)
    source = iter(pieces)
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(workers) as crew:

        def begin() -> Future[list[Made]]:
            piece = reader.submit(lambda: [p for p in (next(source, None),) if p is not None])
            return crew.submit(lambda: [work(p) for p in piece.result()])

        under_way = deque(begin() for _ in range(workers + 1))
        try:
            while made := under_way.popleft().result():
                under_way.append(begin())
                yield made.pop()
        finally:
            for waiting in under_way:
                waiting.cancel()
