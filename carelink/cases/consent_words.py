"""A wish in plain words: to the person ("you") or about them ("they"). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from carelink.cases.consent_form import CATEGORY, EMERGENCY, ROLE, USER, Effect, How, Terms, Wish
from carelink.consent.capacity import Relation
from carelink.consent.sensitivity import sensitivities
from carelink.ids import ODS, Ods, UserId
from carelink.place import Place
from carelink.record.timeline_dates import whole

PURPOSES: Mapping[str, str] = {
    "TREAT": "care and treatment",
    "CAREMGT": "planning and arranging care",
    "ETREAT": "an emergency",
    "BTG": "an emergency",
    "SAFEGUARDING": "protecting somebody from abuse or neglect",
    "HOPERAT": "planning and running services",
    "HRESCH": "research",
    "PUBHLTH": "public health",
    "PATRQT": "the person's own use",
}
HOW: Mapping[How, str] = {
    How.FACE_TO_FACE: "face to face",
    How.TELEPHONE: "by telephone",
    How.LETTER: "by letter",
    How.ONLINE: "online, by the person",
    How.SYSTEM: "in another system",
}
RELATIONS: Mapping[Relation, str] = {
    Relation.THE_PERSON: "the person themselves",
    Relation.ATTORNEY_HEALTH: "attorney for health and welfare",
    Relation.ATTORNEY_PROPERTY: "attorney for property and affairs",
    Relation.ATTORNEY_ENDURING: "attorney by an enduring power",
    Relation.DEPUTY_WELFARE: "deputy for personal welfare",
    Relation.DEPUTY_PROPERTY: "deputy for property and affairs",
    Relation.COURT: "by order of a court",
    Relation.PARENTAL_RESPONSIBILITY: "has parental responsibility",
    Relation.LOCAL_AUTHORITY_CARE_ORDER: "council with a care order",
    Relation.PROFESSIONAL_BEST_INTERESTS: "professional, in their best interests",
    Relation.IMCA: "independent mental capacity advocate",
    Relation.ADVOCATE: "advocate",
    Relation.GUARDIAN: "guardian (Mental Health Act)",
    Relation.NEAREST_RELATIVE: "nearest relative (Mental Health Act)",
    Relation.APPOINTEE: "appointee for benefits",
    Relation.NEXT_OF_KIN: "next of kin",
    Relation.PARENT: "parent",
    Relation.CARER: "carer",
    Relation.FRIEND: "friend",
}


@dataclass(frozen=True)
class Names:
    """What this place calls things."""

    place: Place

    def organisation(self, ods: Ods) -> str:
        """Its name; its code where the place doesn't know it."""
        known = self.place.organisations.get(ods)
        return known.name if known else f"organisation {ods}"

    def organisation_type(self, type_: str) -> str:
        """`any gp practice`."""
        return f"any {type_.replace('-', ' ').replace('gp ', 'GP ').replace('nhs ', 'NHS ')}"

    def role(self, role: str) -> str:
        """`anyone who works as ward nurse`."""
        known = self.place.roles.get(role)
        label = known.label if known else role
        return f"anyone who works as {label[:1].lower()}{label[1:]}"

    def worker(self, user: UserId) -> str:
        """The worker's name and organisation."""
        known = self.place.staff.get(user)
        return f"{known.name} ({self.organisation(known.organisation)})" if known else f"worker {user}"

    def category(self, id_: str) -> str:
        """As pages call it."""
        return self.place.categories.get(id_, id_)

    def sensitivity(self, id_: str) -> str:
        """As pages call it."""
        return sensitivities(self.place).labels.get(id_, id_)


def displays(place: Place) -> dict[tuple[str, str], str]:
    """How this place calls the codes that a Consent may name."""
    known = sensitivities(place)
    return {
        **{(ODS, one.ods): one.name for one in place.organisations.values()},
        **{(ROLE, one.id): one.label for one in place.roles.values()},
        **{(USER, one.id): one.name for one in place.staff.values()},
        **{(CATEGORY, id_): label for id_, label in place.categories.items()},
        **{(coding["system"], coding["code"]): known.labels[name] for name, coding in known.codings.items()},
    }


def sentences(wish: Wish, place: Place, mine: bool = False) -> tuple[str, ...]:
    """What the wish says, a sentence each; `mine`: told to the person themselves."""
    names, whose = Names(place), "my" if mine else "the person's"
    said = [_first(wish, names, whose)]
    said += [_except(one, wish.effect, names) for one in wish.exceptions]
    if wish.starts:
        said.append(f"This holds from {whole(wish.starts)}.")
    if wish.until:
        said.append(f"This holds until the end of {whole(wish.until)}.")
    return tuple(said)


def _first(wish: Wish, names: Names, whose: str) -> str:
    what = _what(wish.terms, names, whose)
    purposes = _purposes(wish.terms)
    if wish.effect is Effect.AGREES:
        return f"Share {what} with {_whom(wish.terms, names) or 'everyone who is involved in care'}{purposes}."
    return f"Don't share {what} with {_whom(wish.terms, names, 'or') or 'anyone'}{purposes}."


def _except(terms: Terms, effect: Effect, names: Names) -> str:
    verb = "But share" if effect is Effect.OBJECTS else "But don't share"
    if terms.purposes and not (terms.names_recipients or terms.categories or terms.sensitivities):
        return f"{verb} it{_purposes(terms)}."
    what = _what(terms, names, "") if terms.categories or terms.sensitivities else "it"
    whom = _whom(terms, names, "and" if effect is Effect.OBJECTS else "or")
    return f"{verb} {what}{f' with {whom}' if whom else ''}{_purposes(terms)}."


def _what(terms: Terms, names: Names, whose: str) -> str:
    """The kinds; where both a kind and a sensitivity are named, only what is both."""
    kinds = listed([_lower(names.category(one)) for one in terms.categories])
    sensitive = listed([_lower(names.sensitivity(one)) for one in terms.sensitivities])
    both = " that is about ".join(one for one in (kinds, sensitive) if one)
    return both or f"{whose} record"


def _lower(label: str) -> str:
    return label if label[1:2].isupper() else f"{label[:1].lower()}{label[1:]}"


def _whom(terms: Terms, names: Names, word: str = "and") -> str:
    found = [
        *(names.organisation(one) for one in terms.organisations),
        *(names.organisation_type(one) for one in terms.organisation_types),
        *(names.role(one) for one in terms.roles),
        *(names.worker(one) for one in terms.workers),
    ]
    return listed(found, word)


def _purposes(terms: Terms) -> str:
    if not terms.purposes:
        return ""
    if set(terms.purposes) <= set(EMERGENCY):
        return " in an emergency"
    return f" for {listed(list(dict.fromkeys(PURPOSES.get(one, one) for one in terms.purposes)))}"


def listed(words: Sequence[str] | Iterable[str], word: str = "and") -> str:
    """`a, b and c`."""
    found = list(words)
    return f" {word} ".join(part for part in (", ".join(found[:-1]), *found[-1:]) if part)
