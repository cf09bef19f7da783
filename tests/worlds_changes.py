"""What may differ between two worlds: every kind of thing that somebody may not be able to see. Values in, values out.

Nobody is asked here whether it is hidden: a change is aimed at what is hidden from a requester, and whether it was is
decided afterwards, by the pure decision over both worlds (tests/worlds_views.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from uuid import UUID

import worlds_rows as table
from worlds_bodies import PERSONAL, Label, Said, Thing, key, natural, person
from worlds_records import FIXED, SOURCES, World, label
from worlds_rows import Row

# Labels that are hidden from most.
SHUT = (512, 8, 128, 16, 1 << 15, 2048, 2 | 4)


@dataclass(frozen=True)
class Aim:
    """At whom a change is aimed: which resources they can't see, and of whom they see nothing or not where they are."""

    hidden: Callable[[UUID], bool]
    versions_hidden: Callable[[UUID, int], bool]
    strangers: Sequence[int]  # people of whom nothing is visible


Change = Callable[[Random, World, Aim], World]


def _hidden(world: World, aim: Aim, *types: str) -> list[int]:
    things = enumerate(world.things)
    return [n for n, one in things if aim.hidden(key(one)) and (not types or one.type in types) and not one.deleted]


def _put(world: World, number: int, one: Thing) -> World:
    return replace(world, things=(*world.things[:number], one, *world.things[number + 1 :]))


def _one_of(chance: Random, world: World, aim: Aim, make: Callable[[Thing], Thing], *types: str) -> World:
    """The world in which one hidden thing is otherwise; the same where nothing is hidden."""
    found = _hidden(world, aim, *types)
    if not found:
        return world
    number = chance.choice(found)
    return _put(world, number, make(world.things[number]))


def _now(one: Thing, **changed: object) -> Thing:
    return replace(one, said=(*one.said[:-1], replace(one.said[-1], **changed)))  # type: ignore[arg-type]


def says_otherwise(chance: Random, world: World, aim: Aim) -> World:
    """In other words, perhaps on another day."""
    mark, days = f"mk{chance.randrange(1000, 9999)}", chance.choice((0, 0, 700))
    return _one_of(chance, world, aim, lambda one: _now(one, mark=mark, ago=one.said[-1].ago + days))


def consent_in_other_words(chance: Random, world: World, aim: Aim) -> World:
    """What is wanted stays: the letter is another."""
    return _one_of(chance, world, aim, lambda one: _now(one, mark=f"mk{chance.randrange(1000, 9999)}"), "Consent")


def labelled_otherwise(chance: Random, world: World, aim: Aim) -> World:
    return _one_of(chance, world, aim, lambda one: _now(one, label=_shut(chance, one.of, one.type)))


def ended(chance: Random, world: World, aim: Aim) -> World:
    return _one_of(chance, world, aim, lambda one: replace(one, deleted=True))


def said_otherwise_before(chance: Random, world: World, aim: Aim) -> World:
    """An old version that is hidden, of whatever: also of what is shown as it is now."""
    found = [
        (n, age)
        for n, one in enumerate(world.things)
        for age in range(len(one.said) - 1)
        if aim.versions_hidden(key(one), age + 1)
    ]
    if not found:
        return world
    number, age = chance.choice(found)
    one = world.things[number]
    was = replace(one.said[age], mark=f"mk{chance.randrange(1000, 9999)}")
    return _put(world, number, replace(one, said=(*one.said[:age], was, *one.said[age + 1 :])))


def one_less(chance: Random, world: World, aim: Aim) -> World:
    found = _hidden(world, aim)
    if not found:
        return world
    number = chance.choice(found)
    return replace(world, things=(*world.things[:number], *world.things[number + 1 :]))


def one_more(chance: Random, world: World, aim: Aim) -> World:
    """Of somebody of whom they see nothing; else something shut."""
    if aim.strangers and chance.random() < 0.6:
        of = chance.choice(aim.strangers)
        type_ = chance.choice(PERSONAL)
        return _more(chance, world, of, type_, label(chance, of, type_, "hospital"))
    of, type_ = chance.randrange(world.people), chance.choice(PERSONAL)
    return _more(chance, world, of, type_, _shut(chance, of, type_))


def one_more_kept_back(chance: Random, world: World, aim: Aim) -> World:
    """Of somebody whom they may know something that is agreed in principle, but for what it tells."""
    custodian, category = chance.choice((("RDV", "problems"), ("P81001", "problems"), ("901", "services")))
    return _more(chance, world, chance.randrange(world.people), "Condition", Label(custodian, category, 8))


def of_nobody(chance: Random, world: World, aim: Aim) -> World:
    """It is not known whom it is about."""
    return _more(chance, world, None, chance.choice(PERSONAL), Label("RDV", "problems", 0))


def _shut(chance: Random, of: int | None, type_: str) -> Label:
    bits = chance.choice(SHUT)
    return Label(chance.choice(tuple(SOURCES.values())), natural(type_), bits)


def _more(chance: Random, world: World, of: int | None, type_: str, labelled: Label) -> World:
    source = "hospital"
    said = Said(labelled, f"mk{chance.randrange(1000, 9999)}", f"where{of}", chance.randrange(1500))
    name = f"{'nobody' if of is None else of}-more-{len(world.things)}"
    names = tuple((other.type, key(other)) for other in chance.sample(world.things, 3))
    made = Thing(of, type_, name, chance.randrange(1 << 30), source, (said,), names=names)
    return replace(world, things=(*world.things, made))


def lives_elsewhere(chance: Random, world: World, aim: Aim) -> World:
    """Somebody who is restricted has always been somewhere else."""
    if not world.restricted:
        return world
    of, where = chance.choice(sorted(world.restricted)), f"elsewhere{chance.randrange(99)}"
    return replace(world, things=tuple(_elsewhere(one, where) if one.of == of else one for one in world.things))


def _elsewhere(one: Thing, where: str) -> Thing:
    return replace(one, said=tuple(replace(said, place=where) for said in one.said))


def held_elsewhere(chance: Random, world: World, aim: Aim) -> World:
    """What one council holds of somebody restricted has always been the other's."""
    found = [n for n, one in enumerate(world.things) if one.of in world.restricted and one.said[-1].label.custodian in _COUNCILS]  # fmt: skip
    if not found:
        return world
    number = chance.choice(found)
    one = world.things[number]
    said = tuple(replace(said, label=replace(said.label, custodian=_other(said.label.custodian))) for said in one.said)
    return _put(world, number, replace(one, said=said, source=_other(one.source)))


_COUNCILS = {"901": "902", "902": "901", "council-a": "council-b", "council-b": "council-a"}


def _other(council: str) -> str:
    return _COUNCILS.get(council, council)


def somebody_more(chance: Random, world: World, aim: Aim) -> World:
    """Another person, of whom they have never heard."""
    if world.people > 3:
        return world
    of = world.people
    made = replace(world, people=of + 1)
    for type_ in (*FIXED, *chance.sample(PERSONAL, 4)):
        made = _more(chance, made, of, type_, label(chance, of, type_, "hospital"))
    return made


# Rows that are no resources ---------------------------------------------------------------------------


def _row(chance: Random, world: World, name: str, values: Mapping[str, object]) -> World:
    """One more of that table; or one of them less; or one of them otherwise."""
    here = [one for one in world.rows if one.table == name]
    how = chance.choice(("more", "more", "less", "otherwise"))
    others = world.rows
    number = max((one.id for one in here), default=0) + 1
    if how != "more" and here:
        gone = chance.choice(here)
        others, number = tuple(one for one in others if one is not gone), gone.id
        if how == "less":
            return replace(world, rows=others)
    return replace(world, rows=(*others, Row(name, number, values)))


def _people(world: World) -> list[object]:
    return [person(number) for number in range(world.people)]


def _of(name: str, make: Callable[[Random, Sequence[object]], Mapping[str, object]]) -> Change:
    def change(chance: Random, world: World, aim: Aim) -> World:
        return _row(chance, world, name, make(chance, _people(world)))

    return change


def asked_whether_one(chance: Random, world: World, aim: Aim) -> World:
    patients = [key(one) for one in world.things if one.type == "Patient"]
    there = {(one.values["patient"], one.values["candidate"]) for one in world.rows if one.table == "link_decision"}
    pairs = [(patient, whom) for patient in patients for whom in _people(world) if (patient, whom) not in there]
    return _row(chance, world, "link_decision", table.question(chance, *chance.choice(pairs)))


def corrected(chance: Random, world: World, aim: Aim) -> World:
    """Somebody corrected the label of a hidden item; what it says stays."""
    there = {one.values["resource"] for one in world.rows if one.table == "label_correction"}
    found = [number for number in _hidden(world, aim) if key(world.things[number]) not in there]
    if not found:
        return world
    values = table.correction(chance, world.things[chance.choice(found)])
    number = max((one.id for one in world.rows if one.table == "label_correction"), default=0) + 1
    return replace(world, rows=(*world.rows, Row("label_correction", number, values)))


CHANGES: Mapping[str, Change] = {
    "says otherwise": says_otherwise,
    "one more": one_more,
    "one more kept back": one_more_kept_back,
    "one less": one_less,
    "ended": ended,
    "labelled otherwise": labelled_otherwise,
    "said otherwise before": said_otherwise_before,
    "lives elsewhere": lives_elsewhere,
    "held elsewhere": held_elsewhere,
    "of nobody": of_nobody,
    "somebody more": somebody_more,
    "a consent in other words": consent_in_other_words,
    "a look": _of("audit_event", lambda chance, people: table.looked(chance, people, chance.randrange(9999))),  # type: ignore[arg-type]
    "glass of others": _of("access_grant", table.grant),  # type: ignore[arg-type]
    "a question of identity": asked_whether_one,
    "a refused resource": _of("quarantine", lambda chance, people: table.refused(chance, people, chance.randrange(10, 9999))),  # type: ignore[arg-type]
    "a signal": _of("audit_signal", lambda chance, people: table.signal(chance, people, chance.randrange(30, 999))),  # type: ignore[arg-type]
    "a request": _of("subject_request", table.request),  # type: ignore[arg-type]
    "a hold": _of("legal_hold", lambda chance, people: table.hold(chance.choice(people))),  # type: ignore[arg-type]
    "a rehearsal": _of("rehearsal", lambda chance, people: table.rehearsed(people, chance.randrange(9))),  # type: ignore[arg-type]
    "a corrected label": corrected,
}  # fmt: skip


def changed(world: World, seed: int, names: Sequence[str], aim: Aim) -> World:
    """The world after these changes."""
    for number, name in enumerate(names):
        world = CHANGES[name](Random(f"{seed} {number} {name}"), world, aim)
    return world
