"""How care is arranged, and who is involved, each as a line of a person's story. Pure."""

from __future__ import annotations

from carelink.record.timeline_dates import in_words
from carelink.record.timeline_said import MISTAKEN, Words, by, status, told
from carelink.record.timeline_values import (
    Body,
    Names,
    capital,
    codes,
    concept,
    extensions,
    first,
    human_name,
    listed,
    notes,
    sentence,
    value_of,
    whole,
)

# status of the resource -> what is said of it
TASK_STATES = {
    "draft": "being written",
    "requested": "asked for",
    "received": "received",
    "accepted": "accepted",
    "rejected": "not accepted",
    "ready": "to be done",
    "in-progress": "started",
    "on-hold": "on hold",
    "failed": "not done",
    "completed": "completed",
    "cancelled": "cancelled",
    "entered-in-error": "entered by mistake",
}
TASK_OVER = frozenset({"completed", "cancelled", "rejected", "failed"}) | MISTAKEN
EPISODE_STATES = {"planned": "planned", "waitlist": "waiting", "onhold": "on hold", "finished": "ended"}
EPISODE_OVER = frozenset({"finished", "cancelled"}) | MISTAKEN
REQUEST_STATES = {"completed": "done", "revoked": "withdrawn", "on-hold": "on hold", "draft": "being written"}
REQUEST_OVER = frozenset({"completed", "revoked"}) | MISTAKEN
FORM_TITLES = {"in-progress": "Being filled in", "stopped": "Not finished", "amended": "Completed, then changed"}
REFERRAL = "3457005"  # SNOMED CT: patient referral


def package(body: Body, names: Names) -> Words:
    """A service that somebody gets: what, how much, from whom, at what cost."""
    hours = first(_units(one) for one in extensions(body, "planned-units-per-week"))
    cost = first(
        f"£{one['valueMoney'].get('value', '')}" for one in extensions(body, "unit-cost") if "valueMoney" in one
    )
    often = first(value_of(one) for one in extensions(body, "cost-frequency")).lower()
    lines = told(
        by("Provided by", first(value_of(one) for one in extensions(body, "/provider"))),
        first(value_of(one) for one in extensions(body, "delivery-mechanism")),
        f"{cost} {often}".strip() if cost else "",
        by("Arranged by", names.of(body.get("managingOrganization"), body)),
    )
    title = sentence(concept(body.get("type")), hours)
    return Words(title, lines, status(body, EPISODE_STATES), body.get("status") in EPISODE_OVER)


def _units(extension: Body) -> str:
    """What the councils plan a week is hours (Client Level Data, Planned Units Per Week)."""
    amount = extension.get("valueDecimal", extension.get("valueQuantity", {}).get("value"))
    return f"{whole(amount)} hour{'' if whole(amount) == '1' else 's'} a week" if amount is not None else ""


def due(task: Body) -> str:
    """The FHIR date by which an open Task should be done; empty where none was set."""
    period = task.get("restriction", {}).get("period") or task.get("executionPeriod") or {}
    return "" if task.get("status") in TASK_OVER else str(period.get("end", ""))


def task(body: Body, names: Names) -> Words:
    """An assessment, a review, or something that somebody is asked to do."""
    over = body.get("status") in TASK_OVER
    outcome = sentence(*(value_of(one) for one in listed(body.get("output"))))
    lines = told(
        by("Due", in_words(due(body))),
        str(body.get("description", "")),
        by("Outcome:", outcome or concept(body.get("businessStatus"))),
        by("With", names.of(body.get("owner"), body)),
        *notes(body),
    )
    ended = str(body.get("executionPeriod", {}).get("end", "")) if over else ""
    state = status(body, TASK_STATES) or str(body.get("status", ""))
    return Words(capital(concept(body.get("code"))), lines, state, over, until=ended)


def planned(body: Body) -> bool:
    """Whether a ServiceRequest is what a practice means to do itself (its diary), not a referral to somebody else."""
    return body.get("intent") == "plan" and REFERRAL not in codes(body.get("category"))


def referral(body: Body, names: Names) -> Words:
    """A request to somebody else, or an entry of a practice's diary."""
    lines = told(
        by("Reason:", concept(body.get("reasonCode"))),
        by("From", names.of(body.get("requester"), body)),
        by("To", names.of(body.get("performer"), body)),
        *notes(body),
    )
    kind = "Diary entry" if planned(body) else ""
    title = concept(body.get("code")) or concept(body.get("category"))
    return Words(title, lines, status(body, REQUEST_STATES), body.get("status") in REQUEST_OVER, kind)


def flag(body: Body, names: Names) -> Words:
    """What a worker must know before they act."""
    over = body.get("status") != "active"
    title, kind = concept(body.get("code")), concept(body.get("category"))
    lines = told(kind if kind != title else "", by("Raised by", names.of(body.get("author"), body)))
    return Words(title, lines, "ended" if over else "", over)


def team(body: Body, names: Names) -> Words:
    """Those who work with the person, with their roles."""
    over = body.get("status") in ("inactive", "entered-in-error")
    people = [(concept(one.get("role")), names.of(one.get("member"), body)) for one in listed(body.get("participant"))]
    lines = [f"{role}: {name}" if role and name else role or name for role, name in people]
    title = str(body.get("name") or names.of(body.get("managingOrganization"), body))
    return Words(title, told(*lines), "ended" if over else "", over)


def relative(body: Body, names: Names) -> Words:
    """Somebody in the person's life, and how to reach them."""
    over = body.get("active") is False or bool(body.get("period", {}).get("end"))
    numbers = sentence(*(str(one.get("value", "")) for one in listed(body.get("telecom")) if one.get("use") != "old"))
    relation = sentence(*filter(None, (concept(one) for one in listed(body.get("relationship")))))
    return Words(human_name(body.get("name")), told(relation, numbers), "ended" if over else "", over)


def consent(body: Body, names: Names) -> Words:
    """What the person agreed or objected to, and towards whom."""
    provision = body.get("provision", {})
    over = body.get("status") != "active"
    of = sentence(*(concept(one) for one in (*listed(provision.get("class")), *listed(provision.get("code")))))
    to = names.of([one.get("reference") for one in listed(provision.get("actor"))], body)
    title = "Objection to sharing" if provision.get("type") == "deny" else "Consent to sharing"
    return Words(title, told(of, by("With", to)), "ended" if over else "", over)


def plan(body: Body, names: Names) -> Words:
    """A care and support plan, a treatment plan."""
    title = str(body.get("title", "")) or concept(body.get("category"))
    lines = told(str(body.get("description", "")), by("By", names.of(body.get("author"), body)), *notes(body))
    return Words(title, lines, status(body, REQUEST_STATES), body.get("status") in REQUEST_OVER)


def goal(body: Body, names: Names) -> Words:
    """What the person wants to achieve."""
    over = body.get("lifecycleStatus") in ("completed", "cancelled", "rejected", "entered-in-error")
    return Words(concept(body.get("description")), told(*notes(body)), "ended" if over else "", over)


def document(body: Body, names: Names) -> Words:
    """A letter or another document; its text is read elsewhere."""
    titles = (str(one.get("attachment", {}).get("title", "")) for one in listed(body.get("content")))
    lines = told(first(titles), str(body.get("description", "")), by("By", names.of(body.get("author"), body)))
    over = body.get("status") in ("superseded", "entered-in-error")
    return Words(concept(body.get("type")), lines, "replaced" if over else "", over)


def form(body: Body, names: Names) -> Words:
    """That a form was filled in; its answers are read elsewhere."""
    title = FORM_TITLES.get(str(body.get("status", "")), "Completed")
    return Words(title, told(*notes(body)), "", body.get("status") in MISTAKEN)
