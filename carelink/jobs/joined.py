"""Small batches of a source joined: a transaction costs much the same for one person's record as for five."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fhir_adapters.source import Batch

LEAST = 200  # resources a transaction: below it its own cost shows, far above it a killed pull has much to ask again


def joined(batches: Iterable[Batch], least: int = LEAST) -> Iterator[Batch]:
    """The same items in the same order, in batches of at least so many; each has the cursor of its last one.

    By count, never by time: the same source gives the same transactions. What came before a failure is given before
    it is raised.
    """
    waiting: list[Batch] = []
    try:
        for batch in batches:
            waiting.append(batch)
            if sum(len(one.items) + len(one.rejected) for one in waiting) >= least:
                yield _one(waiting)
                waiting = []
    except Exception:
        if waiting:
            yield _one(waiting)
        raise
    if waiting:
        yield _one(waiting)


def _one(batches: Sequence[Batch]) -> Batch:
    last = batches[-1]
    items = tuple(item for batch in batches for item in batch.items)
    rejected = tuple(item for batch in batches for item in batch.rejected)
    whole = tuple(part for batch in batches for part in batch.whole)
    return Batch(items, last.cursor, rejected, last.done, last.total, whole)
