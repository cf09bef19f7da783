"""How the pages of workers and of people themselves are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import NUMBERS, key, person
from worlds_records import hint_number
from worlds_routes import UNKNOWN, WHOSE, Asks, Drawing, Route, either, get, post

HTMX = {"HX-Request": "true"}
WORDS = "Found on the stairs by a neighbour, can't say what she takes"


def _story(draw: Drawing) -> dict[str, Any]:
    """Filters of a page, mostly none."""
    return draw.one(
        {},
        {},
        {"category": draw.one("problems", "medicines", "safeguarding", "legal")},
        {"source": draw.one("gp", "hospital", "council-a", "carelink")},
        {"since": "2024-01-01", "until": "2026-06-01"},
    )


def _person(endpoint: str, whose: bool = True) -> Asks:
    """A page of somebody, or its refreshed part."""

    def ask(draw: Drawing) -> Ask:
        values = _story(draw) | ({"person": draw.person()} if whose else {})
        return Ask(endpoint, values, headers=draw.one({}, {}, HTMX))

    return ask


def _find(draw: Drawing) -> Mapping[str, str]:
    number = draw.number()
    return draw.one(
        {"nhs_number": NUMBERS[number]},
        {"family": f"Family{number}", **draw.born(number)},
        {"family": f"Family{number}", "given": f"Given{number}", "postcode": f"DM{number} 4QT"},
        {"family": "Formermk", **draw.born(number)},
        {"family": "F"},
    )


def _two_facts(draw: Drawing) -> Mapping[str, str]:
    number = draw.number()
    return draw.one(
        {"nhs_number": NUMBERS[number], **draw.born(number)},
        {"family": f"Family{number}", "postcode": f"DM{number} 4QT", **draw.born(number)},
        {"nhs_number": NUMBERS[number], **draw.born((number + 1) % 3)},
        {"nhs_number": "9"},
    )


def _why(draw: Drawing) -> Mapping[str, str]:
    return {"reason": draw.one("emergency", "duty", ""), "words": WORDS, "confirmed": draw.one("yes", "yes", "")}


# Consents -------------------------------------------------------------------------------------------


def _wish(draw: Drawing) -> dict[str, Any]:
    """Answers to the steps of a consent."""
    want = draw.one("nothing", "less", "more")
    more: dict[str, Any] = draw.one(
        {"organisations": "902"},
        {"categories": ["problems", "medicines"]},
        {"organisations": ["*"], "sensitivities": "HIV"},
    )
    giver = {"giver": draw.one("the-person", "the-person", "other"), "giver-name": "Susan", "giver-relation": draw.one("attorney-health", "next-of-kin")}  # fmt: skip
    step = draw.one("who", "details", "check", "check", "saved", "saved")
    return {"want": want, **giver, **more, "how": "face-to-face", "step": step, "token": f"t{draw.chance.randrange(9)}", "version": draw.one("1", "1", "2")}  # fmt: skip


def _withdrawn(draw: Drawing) -> dict[str, str]:
    return {
        "giver": "the-person",
        "how": "telephone",
        "why": draw.one("It was a mistake", ""),
        "version": draw.one("1", "2"),
    }


def _of_record(endpoint: str, type_: str, form: Any = None, *, mine: bool = False) -> Asks:
    """About one thing, mostly recorded here; on the page of whose it is, or now and then of another."""

    def ask(draw: Drawing) -> Ask:
        there = draw.thing(type_, of=draw.mine if mine else None, source=draw.one("carelink", "carelink", ""))
        whose = person(there.of) if there is not None and there.of is not None else UNKNOWN
        named = {} if mine else {"person": draw.one(whose, whose, whose, draw.person())}
        values = {"key": key(there) if there is not None else UNKNOWN, **named}
        return Ask(endpoint, values, "POST" if form else "GET", form(draw) if form else None)

    return ask


def _of_consent(endpoint: str, form: Any = None, *, mine: bool = False) -> Asks:
    return _of_record(endpoint, "Consent", form, mine=mine)


# Who decides ----------------------------------------------------------------------------------------


def _assessed(draw: Drawing) -> dict[str, str]:
    able = draw.one("yes", "no")
    parts = dict.fromkeys(("understand", "retain", "weigh", "communicate", "own-choice"), able)
    found = {"outcome": "has" if able == "yes" else "lacks", "decision": draw.one("sharing", "care"), "impaired": "yes", "cause": "A stroke"}  # fmt: skip
    return {
        **parts,
        **found,
        "by": "Sam",
        "reasons": "Asked twice",
        "token": f"t{draw.chance.randrange(9)}",
        **draw.date("at"),
    }


def _decided(draw: Drawing) -> dict[str, str]:
    return {"decision": draw.one("sharing", "care"), "in_favour": "yes", "by": "Sam", "reasons": "It is best", "consulted": "Her daughter", "token": "t", **draw.date("at")}  # fmt: skip


def _saw(draw: Drawing) -> dict[str, str]:
    kind = draw.one("lpa-health-and-welfare", "deputy-welfare", "lpa-property-and-affairs")
    return {"kind": kind, "name": "Susan Hart", "reference": "7000-1", "registered": "yes", "token": "t", **draw.date("seen"), "confirms": draw.one("", str(draw.key("RelatedPerson")))}  # fmt: skip


def _change(draw: Drawing) -> dict[str, str]:
    return {"change": draw.one("ended", "suspended", "mistake"), "version": draw.one("1", "2"), **draw.date("at")}


def _label(draw: Drawing) -> dict[str, Any]:
    return {"category": draw.one("problems", "services", "documents"), "sensitivities": draw.one([], ["MH"], ["LEGAL"]), "why": draw.one("It is about another", "")}  # fmt: skip


def _hint(draw: Drawing) -> int:
    """Of an item with words that make somebody look (tests/worlds_bodies.py says which)."""
    rules = ("", "words-that-name-gambling", "words-that-name-abuse-at-home")
    hinted = [
        (one, rules[n]) for one in draw.world.things if one.type == "Condition" if (n := one.another_of(0, 1, 2, 0))
    ]
    own = [(one, rule) for one, rule in hinted if one.said[-1].label.custodian == draw.own]
    found = own or hinted
    one, rule = draw.chance.choice(found) if found else (None, "")
    return hint_number(key(one) if one else UNKNOWN, rule)


def _why_mine(draw: Drawing) -> Ask:
    """Of something of somebody, mostly their own."""
    whose = draw.person()
    return Ask("why.mine", {"person": whose, "item": draw.key(of=whose)})


CARE: Mapping[str, Route] = {
    "dashboard.caseload": Route(get("dashboard.caseload", sort=lambda draw: draw.one("", "due", "alerts", "hospital"))),
    "dashboard.find": Route(either(get("dashboard.find"), *[post("dashboard.find", _find)] * 5)),
    "dashboard.person": Route(_person("dashboard.person")),
    "why.mine": Route(_why_mine),
    "breakglass.search": Route(get("breakglass.search")),
    "breakglass.find": Route(post("breakglass.find", _two_facts), good=303),
    "breakglass.ask": Route(get("breakglass.ask", person=WHOSE)),
    "breakglass.say": Route(post("breakglass.say", _why, person=WHOSE), good=303),
    "breakglass.end": Route(post("breakglass.end", lambda draw: {}, person=WHOSE), good=303),
    "breakglass.done": Route(get("breakglass.done")),
    "capacity.page": Route(get("capacity.page", person=WHOSE)),
    "capacity.assess": Route(get("capacity.assess", person=WHOSE)),
    "capacity.assessed": Route(post("capacity.assessed", _assessed, person=WHOSE), good=303),
    "capacity.decide": Route(get("capacity.decide", person=WHOSE)),
    "capacity.decided": Route(post("capacity.decided", _decided, person=WHOSE), good=200),
    "capacity.see": Route(get("capacity.see", person=WHOSE, confirms=lambda draw: draw.key("RelatedPerson"))),
    "capacity.saw": Route(post("capacity.saw", _saw, person=WHOSE), good=303),
    "capacity.end": Route(_of_record("capacity.end", "RelatedPerson")),
    "capacity.ended": Route(_of_record("capacity.ended", "RelatedPerson", _change), good=303),
    "capacity.doubt": Route(_of_record("capacity.doubt", "Observation")),
    "capacity.mistaken": Route(_of_record("capacity.mistaken", "Observation", lambda draw: {"why": draw.one("Wrong person", ""), "version": "1"}), good=303),
    "consents.listed": Route(get("consents.listed", person=WHOSE)),
    "consents.ask": Route(get("consents.ask", person=WHOSE)),
    "consents.answer": Route(post("consents.answer", _wish, person=WHOSE), good=303),
    "consents.ask_change": Route(_of_consent("consents.ask_change")),
    "consents.answer_change": Route(_of_consent("consents.answer_change", _wish), good=303),
    "consents.withdraw": Route(either(_of_consent("consents.withdraw"), _of_consent("consents.withdraw", _withdrawn))),
    "consents.printed": Route(_of_consent("consents.printed")),
    "labelling.queue": Route(get("labelling.queue")),
    "labelling.not_needed": Route(post("labelling.not_needed", lambda draw: {}, hint=_hint), good=303),
    "labelling.item": Route(get("labelling.item", key=lambda draw: draw.key())),
    "labelling.correct": Route(post("labelling.correct", _label, key=lambda draw: draw.key()), good=303),
    "labelling.undo": Route(post("labelling.undo", lambda draw: {}, key=lambda draw: draw.chance.choice([one.values["resource"] for one in draw.world.rows if one.table == "label_correction"] or [draw.key()])), good=303),
    "portal.me": Route(_person("portal.me", whose=False), whose="person"),
    "choices.listed": Route(get("choices.listed"), whose="person"),
    "choices.ask": Route(get("choices.ask"), whose="person"),
    "choices.answer": Route(post("choices.answer", _wish), good=303, whose="person"),
    "choices.ask_change": Route(_of_consent("choices.ask_change", mine=True), whose="person"),
    "choices.answer_change": Route(_of_consent("choices.answer_change", _wish, mine=True), good=303, whose="person"),
    "choices.withdraw": Route(either(_of_consent("choices.withdraw", mine=True), _of_consent("choices.withdraw", _withdrawn, mine=True)), whose="person"),
    "my_requests.mine": Route(get("my_requests.mine"), whose="person"),
    "my_requests.ask": Route(post("my_requests.ask", lambda draw: {}), good=303, whose="person"),
    "who_looked.page": Route(get("who_looked.page", since=lambda draw: draw.one("", "", "2026-11-15"), after=lambda draw: ""), whose="person"),
}  # fmt: skip
