"""Statements that were put together before: the text of one hangs on the shape of its question, and on nobody's values.

To put a search together anew takes as long as to answer it (decision 41).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, CursorResult, Select

from carelink.consent.lens import Lens
from carelink.record.parts import kinds, named, opened

MOST = 500  # shapes; the oldest are forgotten first

_made: OrderedDict[Hashable, Select[Any]] = OrderedDict()

Making = Callable[[Lens, Sequence[BindParameter[Any]]], Select[Any]]


def run(conn: Connection, lens: Lens, shape: Hashable, values: Sequence[Any], make: Making) -> CursorResult[Any]:
    """The rows of the statement of that shape, through this lens and with these values.

    `make` gives the statement over an opened lens and open values, where that shape was not asked before. All that its
    text hangs on must be in the shape, but for what kinds of values there are.
    """
    # What a lens that sees all, or one of the benchmarks, makes of a question is another text.
    whole = (shape, kinds(values), type(lens), lens.standing is None)
    statement = _made.get(whole)
    if statement is None:
        statement = _made[whole] = make(lens.opened(), opened(values))
        if len(_made) > MOST:
            _made.popitem(last=False)
    return conn.execute(statement, {**lens.binds, **named(values)})
