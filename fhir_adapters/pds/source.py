"""Pulls PDS: each person that somebody here knows is asked about, 25 of them a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.auth import auth_of
from fhir_adapters.breaker import Breaker
from fhir_adapters.http import Client
from fhir_adapters.pds.asking import Found, Outcome, ask
from fhir_adapters.pds.patient import keep
from fhir_adapters.source import Batch, Cursor, Item, Rejected, SourceSettings, Wanted

CHUNK = 25  # people a batch: what is asked again when a pull breaks off


@dataclass
class _Round:
    """One going through all people. `of` tells whose list it goes through; another list starts another round."""

    of: str
    asked: int
    counts: Counter[str]
    superseded: dict[str, list[str]]  # present number -> numbers that it replaced, of this and earlier rounds

    def saved(self) -> Mapping[str, Any]:
        """The cursor. It says how many were found, unknown, ambiguous and so on."""
        counts, superseded = dict(sorted(self.counts.items())), dict(sorted(self.superseded.items()))
        return {"of": self.of, "asked": self.asked, "counts": counts, "superseded": superseded}


class Pds:
    """A source over the PDS FHIR API. Every pull asks about everyone: PDS does not say who changed."""

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._auth = auth_of(settings, usual="bearer")
        self._breaker = Breaker()

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """The Patients of all `wanted` that PDS knows, from where an unfinished round over the same people stopped."""
        people = sorted(set(wanted), key=astuple)
        going = _go_on(cursor, people)
        with Client(self.settings, auth=self._auth, breaker=self._breaker) as client:
            while going.asked < len(people):
                chunk = people[going.asked : going.asked + CHUNK]
                yield _batch(going, [ask(client, one) for one in chunk], len(people))


def _go_on(cursor: Cursor | None, people: Sequence[Wanted]) -> _Round:
    """The round that the cursor is in, or the next one where that one is over or was about other people."""
    of = sha256(exact_json.dumps([astuple(one) for one in people])).hexdigest()
    superseded = {number: list(old) for number, old in (cursor or {}).get("superseded", {}).items()}
    if cursor and cursor["of"] == of and cursor["asked"] < len(people):
        return _Round(of, cursor["asked"], Counter(cursor["counts"]), superseded)
    return _Round(of, 0, Counter(), superseded)


def _batch(going: _Round, answers: Sequence[Found], total: int) -> Batch:
    """Moves the round on by these answers and gives what they are worth."""
    found = [answer for answer in answers if answer.outcome is Outcome.FOUND]
    _note_superseded(going.superseded, found)
    kept = [keep(one.patient, going.superseded.get(_number(one), ())) for one in found]
    # Asked by the old number and by the new one, the same Patient comes twice: one is enough.
    items = {one.source_id: one for one in kept if isinstance(one, Item)}
    going.asked += len(answers)
    going.counts.update(str(answer.outcome) for answer in answers)
    rejected = tuple(one for one in kept if isinstance(one, Rejected))
    return Batch(tuple(items.values()), going.saved(), rejected, going.asked, total)


def _note_superseded(superseded: dict[str, list[str]], found: Sequence[Found]) -> None:
    """PDS answers an old number with the Patient of the number that replaced it."""
    for one in found:
        number = _number(one)
        if one.asked_by and number and one.asked_by != number:
            superseded[number] = sorted({*superseded.get(number, ()), one.asked_by})


def _number(found: Found) -> str:
    return str(found.patient.get("id", "")) if isinstance(found.patient, Mapping) else ""
