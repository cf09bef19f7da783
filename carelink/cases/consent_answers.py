"""What was filled in with the person, as typed; read into a wish, with what is wrong by field. Pure.

Three questions stand before the details: who decides, and what they want of three things: share nothing, share less,
share more. All answers travel from step to step as they were typed, so that none is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from carelink.cases.consent_form import EMERGENCY, Effect, How, Terms, Wish
from carelink.consent.sensitivity import sensitivities
from carelink.ids import Ods, UserId
from carelink.place import Place

EVERYONE = "*"  # among the organisations: whoever is involved
NOTHING, LESS, MORE = "nothing", "less", "more"
WANTS = (NOTHING, LESS, MORE)
HOWS = (How.FACE_TO_FACE, How.TELEPHONE, How.LETTER)
FIELDS = (
    *("giver", "giver-name", "giver-relation", "together", "want", "version", "token", "how", "why"),
    *("organisations", "organisation", "roles", "worker", "categories", "sensitivities", "purposes"),
    *("except-emergency", "except-organisations", "except-roles", "except-categories"),
    *("until-day", "until-month", "until-year"),
)
LONGEST = 500  # characters of one answer

Wrong = dict[str, str]


class Form(Protocol):
    """What a web framework gives of a form that was sent."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True)
class Typed:
    """The answers as they were typed."""

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, form: Form) -> Typed:
        """Of the fields that there are, and of what people type."""
        found = {name: tuple(_clean(one) for one in form.getlist(name)) for name in FIELDS}
        return cls({name: values for name, values in found.items() if any(values)})

    def one(self, name: str) -> str:
        """The answer; empty where there is none."""
        return next(iter(self.values.get(name, ())), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every answer."""
        return self.values.get(name, ())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Name and value, one by one: to be carried on by the next form."""
        for name, values in self.values.items():
            yield from ((name, value) for value in values)

    def with_(self, **more: str) -> Typed:
        """With these answers beside them or in their place."""
        return Typed({**self.values, **{name.replace("_", "-"): (value,) for name, value in more.items()}})


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:LONGEST]


def read(typed: Typed, place: Place, today: date) -> tuple[Wish | None, Wrong]:
    """The wish, or None with what is wrong."""
    wrong: Wrong = {}
    want = typed.one("want")
    if want not in WANTS:
        return None, {"want": "Choose what is wanted"}
    terms = _terms(typed, place, want, wrong)
    until = _until(typed, today, wrong)
    if not wrong:
        wrong |= _missing(typed, want, terms)
    if wrong:
        return None, wrong
    effect = Effect.AGREES if want == MORE else Effect.OBJECTS
    return Wish(effect, terms, until, tuple(_exceptions(typed, place, want))), {}


def _missing(typed: Typed, want: str, terms: Terms) -> Wrong:
    if want == LESS and terms == Terms():
        return {"organisations": "Choose with whom not to share, or what not to share"}
    if want == MORE and not terms.names_recipients and EVERYONE not in typed.all("organisations"):
        return {"organisations": "Choose with whom to share"}
    return {}


def _terms(typed: Typed, place: Place, want: str, wrong: Wrong) -> Terms:
    if want == NOTHING:
        return Terms()
    everyone = want == MORE and EVERYONE in typed.all("organisations")
    organisations = [*_known(typed.all("organisations"), place.organisations), *_organisation(typed, place, wrong)]
    return Terms(
        organisations=() if everyone else tuple(dict.fromkeys(Ods(one) for one in organisations)),
        roles=() if everyone else _known(typed.all("roles"), place.roles),
        workers=() if everyone else _worker(typed, place, wrong),
        categories=_known(typed.all("categories"), place.categories) if want == LESS else (),
        sensitivities=_known(typed.all("sensitivities"), sensitive(place)) if want == MORE else (),
        purposes=_purposes(typed) if want == MORE else (),
    )


def _exceptions(typed: Typed, place: Place, want: str) -> Iterator[Terms]:
    if want == MORE:
        return
    if typed.one("except-emergency"):
        yield Terms(purposes=EMERGENCY)
    if want == LESS:
        return
    organisations = tuple(Ods(one) for one in _known(typed.all("except-organisations"), place.organisations))
    roles = _known(typed.all("except-roles"), place.roles)
    if organisations or roles:
        yield Terms(organisations=organisations, roles=roles)
    if categories := _known(typed.all("except-categories"), place.categories):
        yield Terms(categories=categories)


def _known(values: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Those that the place has: a form offers no others."""
    there = set(known)
    return tuple(dict.fromkeys(one for one in values if one in there))


def _organisation(typed: Typed, place: Place, wrong: Wrong) -> list[str]:
    said = typed.one("organisation").casefold()
    if not said:
        return []
    exact = [one.ods for one in place.organisations.values() if said in (one.ods.casefold(), one.name.casefold())]
    found = exact or [one.ods for one in place.organisations.values() if said in one.name.casefold()]
    if len(found) == 1:
        return [found[0]]
    wrong["organisation"] = (
        "Several organisations are called so: give the whole name, or the code" if found
        else "No organisation that takes part here is called so"
    )  # fmt: skip
    return []


def _worker(typed: Typed, place: Place, wrong: Wrong) -> tuple[UserId, ...]:
    said = typed.one("worker").casefold()
    if not said:
        return ()
    found = [one.id for one in place.staff.values() if said in (one.id.casefold(), one.name.casefold())]
    if len(found) == 1:
        return (found[0],)
    wrong["worker"] = (
        "Several workers are called so: give the name that they sign in with" if found
        else "No worker here is called so: give the first and the last name"
    )  # fmt: skip
    return ()


PURPOSE_CHOICES: Mapping[str, tuple[str, ...]] = {
    "care": ("TREAT", "CAREMGT"),
    "emergency": EMERGENCY,
    "safeguarding": ("SAFEGUARDING",),
}


def _purposes(typed: Typed) -> tuple[str, ...]:
    chosen = typed.all("purposes")
    return tuple(code for one, codes in PURPOSE_CHOICES.items() if one in chosen for code in codes)


def _until(typed: Typed, today: date, wrong: Wrong) -> date | None:
    parts = [typed.one(f"until-{part}") for part in ("year", "month", "day")]
    if not any(parts):
        return None
    try:
        found = date(*(int(part) for part in parts if len(part) <= 4))
    except (ValueError, TypeError):
        wrong["until"] = "The last day must be a real date, with day, month and year"
        return None
    if found < today:
        wrong["until"] = "The last day must be today or later"
    return found


# What only says something to the person's own page, or is no wish of theirs: not to be agreed to on a form.
_NOT_AGREED = frozenset({"LEGAL", "NOPAT", "THIRD-PARTY", "RESTRICTED"})


def sensitive(place: Place) -> tuple[str, ...]:
    """The sensitivities that somebody may agree to share; first those that nothing but an agreement opens."""
    named = [one for one in sensitivities(place).flags if one not in _NOT_AGREED]
    return tuple(sorted(named, key=lambda one: one not in place.asking.needs_consent))


def kinds(place: Place) -> tuple[str, ...]:
    """The kinds of information that somebody may object to sharing."""
    return tuple(one for one in place.categories if one not in ("directory", "other"))


def of_wish(wish: Wish, place: Place, today: date) -> Typed | None:
    """The answers that make this wish, to be changed; None where the form has no place for all of it."""
    made = Typed({name: values for name, values in _answers(wish).items() if values})
    again, _ = read(made, place, today)
    return made if again == wish else None


def _answers(wish: Wish) -> dict[str, tuple[str, ...]]:
    terms = wish.terms
    said: dict[str, tuple[str, ...]] = {
        "want": (MORE if wish.effect is Effect.AGREES else NOTHING if terms == Terms() else LESS,),
        "organisations": tuple(terms.organisations) or ((EVERYONE,) if _to_everyone(wish) else ()),
        "roles": terms.roles,
        "worker": tuple(terms.workers[:1]),
        "categories": terms.categories,
        "sensitivities": terms.sensitivities,
        "purposes": tuple(name for name, codes in PURPOSE_CHOICES.items() if set(codes) <= set(terms.purposes)),
        "except-emergency": ("yes",) if any(set(one.purposes) == set(EMERGENCY) for one in wish.exceptions) else (),
        "except-organisations": _of_all(one.organisations for one in wish.exceptions),
        "except-roles": _of_all(one.roles for one in wish.exceptions),
        "except-categories": _of_all(one.categories for one in wish.exceptions),
    }
    if wish.until:
        parts = {"day": wish.until.day, "month": wish.until.month, "year": wish.until.year}
        said |= {f"until-{part}": (str(number),) for part, number in parts.items()}
    return said


def _to_everyone(wish: Wish) -> bool:
    return wish.effect is Effect.AGREES and not wish.terms.names_recipients


def _of_all(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for part in parts for one in part))
