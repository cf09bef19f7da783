"""When a source tells all that it has of a part of it, what it had before and does not tell any more is gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Id = tuple[str, str]  # type, and the source's id


@dataclass(frozen=True)
class IdForm:
    """The ids that one rule of a mapping file makes: `review-{ReviewID}` has `review-` before and nothing after."""

    type: str
    before: str = ""
    after: str = ""

    def fits(self, one: Id) -> bool:
        """Whether the id may have been made so."""
        type_, id_ = one
        long_enough = len(id_) > len(self.before) + len(self.after)
        return type_ == self.type and long_enough and id_.startswith(self.before) and id_.endswith(self.after)

    @property
    def exactness(self) -> int:
        """Of two forms that fit, the more exact one made it."""
        return len(self.before) + len(self.after)


@dataclass(frozen=True)
class Whole:
    """All that a source has now of one part of it: a person's record (`namespace`), or a table (`forms`).

    `ids` are of everything told, also of what was rejected. `name` is for people: what the part is called.
    """

    name: str
    ids: frozenset[Id]
    namespace: str = ""
    forms: tuple[IdForm, ...] = ()
    others: tuple[IdForm, ...] = ()  # of the source's other tables

    def gone(self, held: Iterable[Id]) -> list[Id]:
        """Of what is held of the source (and namespace), what belongs to this part and is no more in it."""
        return [one for one in held if one not in self.ids and self.covers(one)]

    def covers(self, one: Id) -> bool:
        """Whether it belongs to this part. Patients never do: a record that vanished is no reason to forget who it was."""
        if one[0] == "Patient":
            return False
        if not self.forms:
            return True
        mine = max((form.exactness for form in self.forms if form.fits(one)), default=-1)
        theirs = max((form.exactness for form in self.others if form.fits(one)), default=-1)
        return mine > theirs
