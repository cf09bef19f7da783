"""Forms of who decides: from what was typed to values, with what is wrong by field. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from carelink.cases.capacity_shapes import Assessment, Interests, Paper
from carelink.cases.capacity_words import CAPACITY_PARTS, GILLICK_PARTS, HOLDS
from carelink.clock import LONDON
from carelink.consent.mind import AuthorityKind, Decision, Outcome

LONGEST = 4000  # letters of what is written in words
SHORT = 200
# What is asked for when somebody shows a paper; what a source may say vaguely is not among them.
PAPERS = tuple(kind for kind in HOLDS if kind not in (AuthorityKind.DEPUTY_UNSTATED, AuthorityKind.ATTORNEY_UNSTATED))
LASTING = frozenset({AuthorityKind.LPA_HEALTH, AuthorityKind.LPA_PROPERTY})
REFERENCED = LASTING | {AuthorityKind.DEPUTY_WELFARE, AuthorityKind.COURT_ORDER, AuthorityKind.CARE_ORDER}
_BEGAN = datetime(1900, 1, 1, tzinfo=LONDON).date()


Form = Mapping[str, str]
T = TypeVar("T")


@dataclass
class Typed:
    """A form while it is read: `wrong` gathers what to put right, by field."""

    form: Form
    now: datetime
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """In London."""
        return self.now.astimezone(LONDON).date()

    def words(self, name: str, ask: str = "", most: int = LONGEST) -> str:
        """What was written; `ask` is what to say where nothing was, and something must be."""
        text = "".join(one for one in self.form.get(name, "") if one.isprintable() or one == "\n").strip()
        if ask and not text:
            self.wrong[name] = ask
        if len(text) > most:
            self.wrong[name] = f"Write no more than {most} letters"
        return text

    def choice(self, name: str, among: Mapping[str, T], ask: str, otherwise: T) -> T:
        """What was chosen of these."""
        if self.form.get(name, "") not in among:
            self.wrong[name] = ask
        return among.get(self.form.get(name, ""), otherwise)

    def chosen(self, name: str, among: Mapping[str, T]) -> frozenset[T]:
        """All that were ticked of these."""
        return frozenset(among[one] for one in among if self.form.get(f"{name}-{one}", "") == "yes")

    def day(self, name: str, label: str, *, ask: bool = False, past: bool = False) -> date | None:
        """The date of `name`-day, -month and -year; `past`: it may not be in the future."""
        parts = [self.form.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")]
        if not any(parts):
            if ask:
                self.wrong[name] = f"{label} must have a day, a month and a year"
            return None
        found = _date(parts)
        if found is None or found < _BEGAN:
            self.wrong[name] = f"{label} must be a real date, with a year of four digits"
        elif past and found > self.today:
            self.wrong[name] = f"{label} must not be in the future"
        return found

    def moment(self, name: str, label: str) -> datetime:
        """Today is now; an earlier day its beginning."""
        day = self.day(name, label, ask=True, past=True)
        if day is None or day >= self.today:
            return self.now
        return datetime(day.year, day.month, day.day, tzinfo=LONDON)


def _date(parts: Collection[str]) -> date | None:
    year, month, day = parts
    if not (year.isdecimal() and len(year) == 4 and month.isdecimal() and day.isdecimal()):
        return None
    try:
        return date(int(year), int(month[:4]), int(day[:4]))
    except ValueError:
        return None


_DECISIONS = {one.value: one for one in Decision}
_YES_NO = {"yes": True, "no": False}
_SAY_WHAT = "Choose what is to be decided"


def read_assessment(form: Form, now: datetime, *, child: bool) -> tuple[Assessment, dict[str, str]]:
    """The assessment of a form. What contradicts the Act is wrong: nobody is found unable who can do all of it."""
    typed = Typed(form, now)
    asked = GILLICK_PARTS if child else CAPACITY_PARTS
    parts = {name: typed.choice(name, _YES_NO, "Choose yes or no", True) for name in asked}
    said = Assessment(
        child=child,
        decision=typed.choice("decision", _DECISIONS, _SAY_WHAT, Decision.SHARING),
        outcome=typed.choice("outcome", {one.value: one for one in Outcome}, "Choose what you found", Outcome.HAS),
        at=typed.moment("at", "The day of the assessment"),
        by=typed.words("by", "Say who assessed", SHORT),
        parts=parts,
        reasons=typed.words("reasons", "Say how you know: what you asked and what was answered"),
        cause="" if child else typed.words("cause", most=SHORT),
        support=typed.words("support"),
        until=typed.day("until", "The last day"),
    )
    for name, why in _contradictions(said, form.get("impaired", "")):
        typed.wrong.setdefault(name, why)
    return said, typed.wrong


def _contradictions(said: Assessment, impaired: str) -> list[tuple[str, str]]:
    can = all(said.parts.values())
    found: list[tuple[str, str]] = []
    if said.until is not None and said.until < said.at.astimezone(LONDON).date():
        found.append(("until", "The last day must not be before the assessment"))
    if said.outcome is Outcome.LACKS and can:
        found.append(("outcome", "You answered yes to all of it: then they are able to decide"))
    if said.child:
        if said.outcome is Outcome.HAS and not can:
            found.append(("outcome", "You answered no to some of it: then they are not competent to decide this"))
        return found
    if not can and impaired not in _YES_NO:
        found.append(("impaired", "Say whether it is because of an impairment or disturbance of mind or brain"))
    if said.outcome is Outcome.LACKS and impaired == "no":
        found.append(("outcome", "Without an impairment of mind or brain the Act takes them to be able to decide"))
    if impaired == "yes" and not said.cause:
        found.append(("cause", "Say what the impairment or disturbance is"))
    if said.outcome is Outcome.HAS and not can and impaired == "yes":
        found.append(("outcome", "You answered no to some of it, because of an impairment: then they are unable to"))
    return found


def read_interests(form: Form, now: datetime) -> tuple[Interests, dict[str, str]]:
    """The best-interests decision of a form; somebody was consulted, or it says why nobody could be (s4(7))."""
    typed = Typed(form, now)
    heard = {name: typed.words(name) for name in ("consulted", "imca", "nobody-because", "wishes")}
    said = Interests(
        decision=typed.choice("decision", _DECISIONS, _SAY_WHAT, Decision.SHARING),
        in_favour=typed.choice("in_favour", _YES_NO, "Choose what was decided", False),
        at=typed.moment("at", "The day of the decision"),
        by=typed.words("by", "Say who decided", SHORT),
        heard={name: text for name, text in heard.items() if text},
        reasons=typed.words("reasons", "Say why this is best for the person"),
    )
    if not (heard["consulted"] or heard["imca"] or heard["nobody-because"]):
        typed.wrong.setdefault("consulted", "Say who was consulted, or why nobody could be")
    return said, typed.wrong


def read_paper(form: Form, now: datetime) -> tuple[Paper, dict[str, str]]:
    """The authority of a form."""
    typed = Typed(form, now)
    kind = typed.choice("kind", {one.value: one for one in PAPERS}, "Choose what you saw", AuthorityKind.LPA_HEALTH)
    seen = typed.day("seen", "The day on which you saw it", ask=True, past=True)
    said = Paper(
        kind=kind,
        name=typed.words("name", "Enter the name of who holds it", SHORT),
        seen=seen or typed.today,
        reference=typed.words("reference", _ask_reference(kind), SHORT),
        registered=kind in LASTING and typed.choice("registered", _YES_NO, "Say whether it is registered", False),
        starts=typed.day("starts", "The day on which it begins"),
        ends=typed.day("ends", "The last day"),
        jointly=form.get("jointly", "") == "yes",
        decisions=typed.chosen("decisions", _DECISIONS),
        confirms=_key(form.get("confirms", "")),
    )
    if said.starts and said.ends and said.ends < said.starts:
        typed.wrong.setdefault("ends", "The last day must not be before it begins")
    return said, typed.wrong


def _ask_reference(kind: AuthorityKind) -> str:
    if kind in LASTING:
        return "Enter the reference number of the Office of the Public Guardian"
    return "Enter the case number of the order" if kind in REFERENCED else ""


def _key(text: str) -> str:
    try:
        return str(UUID(text)) if text else ""
    except ValueError:
        return ""


CHANGES = ("ended", "suspended", "resumed", "mistake")


def read_change(form: Form, now: datetime) -> tuple[str, date | None, dict[str, str]]:
    """What became of an authority, and on which day it ended."""
    typed = Typed(form, now)
    change = typed.choice("change", {one: one for one in CHANGES}, "Choose what became of it", "")
    day = typed.day("at", "The day on which it ended", ask=True, past=True) if change == "ended" else None
    return change, day, typed.wrong
