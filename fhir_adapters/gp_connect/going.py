"""One pull's way through all people: who is left, which practices are left alone, and the line that tells what failed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from fhir_adapters.gp_connect.record import Mapped
from fhir_adapters.gp_connect.refusals import Refused
from fhir_adapters.source import Batch, Cursor, SourceFailed

MOST_AT_A_PRACTICE = 3  # failures in a row, after which a practice is left alone for this pull
MOST_IN_A_ROW = 6  # at whatever practices: then what lies before all of them is down
Person = tuple[str, str]  # NHS number, ODS code of the practice


@dataclass
class _Practice:
    failures: int = 0  # in a row
    why: str = ""


@dataclass
class Going:
    """The pull as far as it is. People go in the order of their NHS numbers; `after` says whom the last pull had last."""

    people: int
    left: Sequence[Person]
    after: str
    counts: Counter[str]  # refusals of this round, by GP Connect's code
    answered: int = 0
    lines: list[str] = field(default_factory=list)  # why, for each who could not be asked about in this pull
    not_for_us: list[str] = field(default_factory=list)  # what practices said that give records to nobody, or not to us
    _in_a_row: int = 0
    _practices: defaultdict[str, _Practice] = field(default_factory=lambda: defaultdict(_Practice))

    @classmethod
    def on(cls, cursor: Cursor | None, people: Sequence[Person]) -> Going:
        """After the cursor's person; from the start where its round is over, or nobody is left of it."""
        after = str(cursor.get("after", "")) if cursor else ""
        left = [one for one in people if one[0] > after]
        if cursor and after and left:
            return cls(len(people), left, after, Counter(cursor.get("counts", {})))
        return cls(len(people), people, "", Counter())

    def left_alone(self, practice: str) -> bool:
        """Whether that practice failed often enough. Whom it has is one more who could not be asked about."""
        one = self._practices[practice]
        if one.failures < MOST_AT_A_PRACTICE:
            return False
        self.lines.append(one.why)
        return True

    def failed(self, practice: str, failed: SourceFailed) -> None:
        """Notes a failure, and raises it where so many follow on each other that it is not the practice."""
        one = self._practices[practice]
        one.failures, one.why = one.failures + 1, failed.why
        self.lines.append(failed.why)
        self._in_a_row += 1
        if self._in_a_row == MOST_IN_A_ROW:
            raise failed

    def batch(self, answer: Mapped | Refused, person: Person, done: int) -> Batch:
        """What the practice answered about that person, with the cursor after them."""
        number, practice = person
        self._in_a_row = self._practices[practice].failures = 0
        if isinstance(answer, Mapped):
            self.answered += 1
            whole = (answer.whole,) if answer.whole else ()
            return Batch(answer.items, self._cursor(number, done), answer.rejected, done, self.people, whole)
        self.counts[answer.code] += 1
        if answer.by_practice:
            self.not_for_us.append(answer.line)
        else:
            self.answered += 1
        return Batch((), self._cursor(number, done), answer.told(practice, number), done, self.people)

    def _cursor(self, number: str, done: int) -> Cursor:
        """How many were refused why is told in it, as PDS does."""
        counts = {"counts": dict(sorted(self.counts.items()))} if self.counts else {}
        return {"after": number if done < self.people else ""} | counts

    def anew(self) -> Batch | None:
        """Lets the next pull begin anew where this one went on from a cursor and got no answer: else the pulls to come
        would ask about nobody but these."""
        return Batch((), {"after": ""}, (), self.people, self.people) if self.after and not self.answered else None

    def line(self) -> str:
        """The one line that tells what failed; empty where nothing did."""
        lines = Counter(self.lines if self.answered else [*self.lines, *self.not_for_us])
        if not lines:
            return ""
        if lines.total() == len(self.left) and len(lines) == 1:
            return next(iter(lines))
        told = "; ".join(f"{line} ({count})" for line, count in lines.most_common())
        return f"{lines.total()} of {len(self.left)} people could not be asked about: {told}"
