"""The steps by which a consent is recorded with the person, changed or withdrawn: who and what, details, check, saved.

What was answered travels with the forms, so every step is worked out from it alone; nothing is kept until it is saved.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import Connection

from carelink.cases import consent_answers as answers
from carelink.cases import consent_givers, consents
from carelink.cases.banner import Banner
from carelink.cases.consent_answers import Typed
from carelink.cases.consent_effect import in_words
from carelink.cases.consent_form import How, Wish
from carelink.cases.consent_givers import Choice
from carelink.cases.consent_list import Held, banner_of
from carelink.cases.consent_preview import preview
from carelink.cases.consent_words import RELATIONS, sentences
from carelink.cases.consents import Given
from carelink.clock import LONDON
from carelink.consent.capacity import Answer, Giver, Mind, Relation
from carelink.consent.capacity_facts import mind_of
from carelink.consent.lens import Lens
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place


class Step(StrEnum):
    """Where somebody is, or wants to go."""

    WHO = "who"
    DETAILS = "details"
    CHECK = "check"
    SAVED = "saved"


@dataclass(frozen=True)
class Asked:
    """One step as the page shows it."""

    step: Step
    banner: Banner
    typed: Typed
    choices: tuple[Choice, ...]  # who may decide for the person by a recorded authority
    wrong: Mapping[str, str] = field(default_factory=dict)
    refused: Answer | None = None  # why who was chosen may not decide
    said: tuple[str, ...] = ()  # the wish in plain words
    effects: tuple[str, ...] = ()  # what it will do
    giver: str = ""  # in words; empty: the person
    key: ResourceKey | None = None  # what was saved


@dataclass(frozen=True)
class About:
    """Whose consent, and which one is to be replaced or ended."""

    person: PersonKey
    held: Held | None = None


def begin(conn: Connection, place: Place, lens: Lens, about: About) -> Asked:
    """The first step, with what is wanted so far where a consent is to be changed."""
    consents.must_may(conn, lens, about.person)
    typed = Typed({"token": (secrets.token_hex(8),)})
    if about.held is not None:
        made = about.held.wish and answers.of_wish(about.held.wish, place, lens.at.astimezone(LONDON).date())
        typed = (made or Typed()).with_(token=typed.one("token"), version=str(about.held.version))
    return _asked(conn, place, lens, about.person, Step.WHO, typed)


def go_on(conn: Connection, place: Place, lens: Lens, about: About, typed: Typed, step: Step) -> Asked:
    """The step that was asked for, or the one before it in which something is wrong.

    Raises `MayNotConsent` for a giver who may not decide, as soon as that is known; `Conflict` where the consent was
    changed meanwhile; `Forbidden` and `NotFound` as `consents.must_may`.
    """
    consents.must_may(conn, lens, about.person)
    here = _asked(conn, place, lens, about.person, Step.WHO, typed)
    if step is Step.WHO:
        return here
    giver, wrong = _who(conn, lens, about.person, typed)
    if wrong or giver is None:
        return replace(here, wrong=wrong)
    objects = typed.one("want") in (answers.NOTHING, answers.LESS)
    consents.authority(conn, place, lens, about.person, giver, objects=objects)
    here = replace(here, step=Step.DETAILS, giver=words_of(giver))
    if step is Step.DETAILS:
        return here
    wish, wrong = answers.read(typed, place, lens.at.astimezone(LONDON).date())
    how, unsaid = _how(typed, lens)
    if wish is None or how is None:
        return replace(here, wrong={**wrong, **unsaid})
    if step is Step.CHECK:
        return _checked(conn, place, lens, about, here, wish)
    return replace(here, step=Step.SAVED, key=_save(conn, place, lens, about, wish, Given(giver, how), typed))


def refused(conn: Connection, place: Place, lens: Lens, about: About, typed: Typed, answer: Answer) -> Asked:
    """The first step again, with why that giver may not decide."""
    here = _asked(conn, place, lens, about.person, Step.WHO, typed)
    return replace(
        here, refused=answer, wrong={"want" if _own(lens) else "giver": "This can't be recorded: see below why"}
    )


def ending(conn: Connection, place: Place, lens: Lens, about: About, typed: Typed, *, sent: bool) -> Asked:
    """The one step of a withdrawal: what will be the case without it; saved, where all was `sent` and is right.

    Raises as `go_on`.
    """
    consents.must_may(conn, lens, about.person)
    assert about.held is not None
    here = _asked(conn, place, lens, about.person, Step.CHECK, typed)
    effects = _effects(conn, place, lens, about, None)
    here = replace(here, effects=effects, said=about.held.sentences)
    if not sent:
        return replace(here, typed=typed.with_(version=str(about.held.version)))
    giver, wrong = _who(conn, lens, about.person, typed)
    how, unsaid = _how(typed, lens)
    wrong = {**wrong, **unsaid, **({} if typed.one("why") else {"why": "Say why it is withdrawn"})}
    if wrong or giver is None or how is None:
        return replace(here, wrong=wrong)
    version, key = _version(typed), about.held.key
    consents.withdraw(conn, place, lens, key, version, typed.one("why"), Given(giver, how))
    return replace(here, step=Step.SAVED, key=key)


def words_of(giver: Giver) -> str:
    """Who decides for the person; empty where it is they themselves."""
    if giver.relation is Relation.THE_PERSON:
        return ""
    return ", ".join(part for part in (giver.name, RELATIONS[giver.relation]) if part)


def _asked(conn: Connection, place: Place, lens: Lens, person: PersonKey, step: Step, typed: Typed) -> Asked:
    top, mind = banner_of(conn, place, lens, person), mind_of(conn, lens, person)
    return Asked(step, top, typed, () if _own(lens) else consent_givers.choices(mind))


def _own(lens: Lens) -> bool:
    return lens.requester is not None and lens.requester.person is not None


def _who(conn: Connection, lens: Lens, person: PersonKey, typed: Typed) -> tuple[Giver | None, answers.Wrong]:
    """Who decides; on the person's own page it is they."""
    wrong = {} if typed.one("want") in answers.WANTS or not _asks_what(typed) else {"want": "Choose what is wanted"}
    if _own(lens):
        return (None, wrong) if wrong else (Giver(Relation.THE_PERSON), {})
    mind: Mind = mind_of(conn, lens, person)
    giver, unsaid = consent_givers.read(typed, mind)
    return giver, {**unsaid, **wrong}


def _asks_what(typed: Typed) -> bool:
    """Not of a withdrawal, which has no token."""
    return bool(typed.one("token"))


def _how(typed: Typed, lens: Lens) -> tuple[How | None, answers.Wrong]:
    if _own(lens):
        return How.ONLINE, {}
    how = next((one for one in answers.HOWS if one.value == typed.one("how")), None)
    return how, {} if how else {"how": "Choose how they told you"}


def _checked(conn: Connection, place: Place, lens: Lens, about: About, here: Asked, wish: Wish) -> Asked:
    effects = _effects(conn, place, lens, about, wish)
    return replace(here, step=Step.CHECK, said=sentences(wish, place, _own(lens)), effects=effects)


def _effects(conn: Connection, place: Place, lens: Lens, about: About, wish: Wish | None) -> tuple[str, ...]:
    changes = preview(conn, place, lens, about.person, wish, about.held.key if about.held else None)
    return tuple(said for one in changes for said in in_words(one))


def _save(
    conn: Connection, place: Place, lens: Lens, about: About, wish: Wish, given: Given, typed: Typed
) -> ResourceKey:
    if about.held is None:
        return consents.record(conn, place, lens, about.person, wish, given, typed.one("token"))
    consents.change(conn, place, lens, about.held.key, _version(typed), wish, given)
    return about.held.key


def _version(typed: Typed) -> int:
    """The version that was looked at; none that there is, where the form does not say one."""
    said = typed.one("version")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0
