"""Numbers about many people, for planning and research (rule L10-counted): asked, suppressed, told and audited.

UK GDPR Art 5(1)(b) and 89; the national data opt-out is respected (rule L10-opt-out, in the statement itself).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.cases.disclosure import Disclosure
from carelink.cases.opt_outs import checked_at
from carelink.cases.planning_questions import BY_ID, QUESTIONS, Question
from carelink.clock import LONDON
from carelink.consent.holders import holder_name
from carelink.consent.lens import MAY_COUNT, Lens
from carelink.consent.rules import COUNTED
from carelink.errors import Forbidden, NotFound
from carelink.place import Place

TOO_FEW = "too few"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet takes a text for something to work out


@dataclass(frozen=True)
class Line:
    """One row: None stands for a count that is too small to be shown."""

    words: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True)
class Answer:
    """`opt_outs_at` is when the national data opt-outs were last read; None where they never were."""

    question: Question
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    at: datetime
    opt_outs_at: datetime | None


def questions(lens: Lens) -> tuple[Question, ...]:
    """What can be asked. Raises `Forbidden` for who may not count."""
    must_may(lens)
    return QUESTIONS


def must_may(lens: Lens) -> None:
    """Raises `Forbidden` for a role that may not count, or looks for something else than planning and research."""
    if not lens.counts:
        raise Forbidden("Your role asks for no numbers about many people", rule=MAY_COUNT)


def ask(
    conn: Connection,
    place: Place,
    lens: Lens,
    question: str,
    disclosure: Disclosure,
    action: str = "search",
    user: str = "",
) -> Answer:
    """The answer to one of the questions. Audited as `action`: as asked by `user`, where that is not who may count.

    Raises `Forbidden` for who may not count, `NotFound` for a question that is not one of them.
    """
    must_may(lens)
    asked = BY_ID.get(question)
    if asked is None:
        raise NotFound(f"There is no question {question!r}; there are {', '.join(BY_ID)}")
    found = conn.execute(_statement(lens, place, asked)).all()
    answer = _answer(place, lens, asked, found, disclosure, checked_at(conn))
    append(conn, _event(lens, asked, answer, action, user), lens.at)
    return answer


def _statement(lens: Lens, place: Place, asked: Question) -> Any:
    return asked.statement(lens, place, lens.at.astimezone(LONDON).date())


def _event(lens: Lens, asked: Question, answer: Answer, action: str, user: str) -> Event:
    """Nobody's key is in it: of no single person was anything told."""
    told = sum(count is not None for line in answer.lines for count in line.counts)
    detail = {"question": asked.id} | ({"view_of": lens.user} if user else {})
    requester = None if user else lens.requester
    return Event(action, requester, query="counts", count=told, rules=(COUNTED.id,), user=user, detail=detail)


def _answer(
    place: Place, lens: Lens, asked: Question, found: Sequence[Any], disclosure: Disclosure, checked: datetime | None
) -> Answer:
    today = lens.at.astimezone(LONDON).date()
    columns = asked.columns(today)
    counts = {(str(row.row), str(row.col)): row.people for row in found}
    words = {str(row.row): row.words or _words(place, str(row.row)) for row in found}
    rows = asked.rows(today) if asked.rows else sorted(words.items(), key=lambda pair: pair[1].casefold())

    def line(id_: str, said: str) -> Line:
        cells = ((id_, column) for column, _ in columns)
        return Line(said, tuple(disclosure.shown(counts.get(cell, 0), asked.id, *cell) for cell in cells))

    lines = (line(*row) for row in rows)
    told = tuple(one for one in lines if asked.rows or one.counts != (None,) * len(columns))
    return Answer(asked, tuple(said for _, said in columns), told, lens.at, checked)


def _words(place: Place, row: str) -> str:
    """A category, an organisation, or a code that has no words."""
    return place.categories.get(row) or holder_name(place, row.rpartition("|")[2])


def as_csv(answer: Answer) -> str:
    """The same as comma-separated values: a line of headings, then the rows (RFC 4180)."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow([answer.question.row, *answer.columns])
    out.writerows([_plain(one.words), *map(_told, one.counts)] for one in answer.lines)
    return text.getvalue()


def _told(count: int | None) -> str:
    return TOO_FEW if count is None else str(count)


def _plain(words: str) -> str:
    return f"'{words}" if words.startswith(_FORMULA) else words


def in_words(answer: Answer) -> Iterator[str]:
    """The same for a terminal."""
    yield answer.question.words
    for one in answer.lines:
        named: Mapping[str, int | None] = dict(zip(answer.columns, one.counts, strict=True))
        yield f"{one.words}: " + ", ".join(f"{column.lower()} {_told(count)}" for column, count in named.items())
    if not answer.lines:
        yield "Nothing that enough people have"
