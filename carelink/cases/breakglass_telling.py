"""Who is told that a record was opened in need: the lead, by a Task with a due date, and the person, on their own page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from carelink.consent.labels import NOTICE, NOTICES
from carelink.consent.lens import Lens
from carelink.db.tables import access_grant, person
from carelink.ids import ODS, Ods, PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record import made_here, search, store
from carelink.record.golden_store import MADE_HERE, home
from carelink.record.query import Query
from carelink.record.timeline_dates import LONDON, whole
from fhir_adapters import exact_json

TASK = "https://carelink.example/CodeSystem/task"
REVIEW = "break-glass-review"  # code of the Task
GRANT = "https://carelink.example/Id/break-glass"
TITLE = "Your record was opened in need"
MOST = 20  # notices on a page


@dataclass(frozen=True)
class Notice:
    """What the person reads; `sent` is a FHIR dateTime."""

    sent: str
    title: str
    words: str


def tell(conn: Connection, place: Place, grant: int, now: datetime) -> None:
    """Make the Task of the review and, where the place tells the person, the notice. Done twice it is there once."""
    row = _grant(conn, grant)
    store.put(conn, place, review(place, row, "requested"), None, None, now)
    if place.glass is not None and place.glass.tell_person:
        lens = Lens.system("tell the person that their record was opened in need", now)
        about = _now_is(conn, PersonKey(row.person))
        made_here.create(
            conn, place, lens, notice(place, row, about), about, home(place).ods, _key("Communication", row)
        )


def close(conn: Connection, place: Place, grant: int, now: datetime) -> None:
    """The review was answered: its Task is completed, with what was found."""
    store.put(conn, place, review(place, _grant(conn, grant), "completed"), None, None, now)


def notices(conn: Connection, lens: Lens, about: PersonKey) -> tuple[Notice, ...]:
    """What the person was told on their own page, the newest first."""
    query = Query(types=("Communication",), person=about, categories=(NOTICE,), count=MOST)
    return tuple(_notice(exact_json.loads(row.body)) for row in search.run(conn, lens, query).rows)


def _notice(body: Mapping[str, Any]) -> Notice:
    words = " ".join(str(one.get("contentString", "")) for one in body.get("payload", ()))
    return Notice(str(body.get("sent", "")), str(body.get("topic", {}).get("text", "")), words)


def review(place: Place, row: Any, status: str) -> dict[str, Any]:
    """The Task of a review. It hangs on nobody's record and names nobody: what it is about, the grant's number tells."""
    role = place.roles.get(row.reviewer_role)
    outcome = {"businessStatus": {"text": row.finding}} if row.finding else {}
    return {
        "resourceType": "Task",
        "id": str(_key("Task", row)),
        "identifier": [{"system": GRANT, "value": str(row.id)}],
        "status": status,
        "intent": "order",
        "priority": "urgent",
        "code": {"coding": [{"system": TASK, "code": REVIEW, "display": "Review a record that was opened in need"}]},
        "authoredOn": _instant(row.starts),
        "requester": _organisation(place, Ods(row.organisation)),
        "owner": {"display": role.label if role else row.reviewer_role},
        "restriction": {"period": {"end": _instant(row.review_due)}},
        **outcome,
    }


def notice(place: Place, row: Any, about: PersonKey) -> dict[str, Any]:
    """What the person is told: when, in what role, by whom employed. Not the reason: it may speak of others."""
    local, role = row.starts.astimezone(LONDON), place.roles.get(row.role)
    who = f"{role.label if role else row.role} of {_organisation(place, Ods(row.organisation))['display']}"
    reviewer = place.roles[row.reviewer_role].label.lower() if row.reviewer_role in place.roles else row.reviewer_role
    words = (
        f"On {whole(local)} at {local:%H:%M} somebody who works as {who} opened parts of your record that they don't "
        "see otherwise. They had to say why they needed to, and what they looked at is kept. "
        f"The {reviewer} of {place.words.place_name} checks whether it was right. "
        f"If you have a question about it, or it worries you: {place.words.help_contact}."
    )
    return {
        "resourceType": "Communication",
        "identifier": [{"system": GRANT, "value": str(row.id)}],
        "status": "completed",
        "category": [{"coding": [{"system": NOTICES, "code": "break-glass"}], "text": TITLE}],
        "subject": {"reference": f"Patient/{about}"},
        "topic": {"text": TITLE},
        "sent": _instant(row.starts),
        "payload": [{"contentString": words}],
    }


def _grant(conn: Connection, grant: int) -> Any:
    return conn.execute(select(access_grant).where(access_grant.c.id == grant)).one()


def _now_is(conn: Connection, about: PersonKey) -> PersonKey:
    """Of a person who was merged into another meanwhile, that other."""
    into = conn.execute(select(person.c.merged_into).where(person.c.key == about)).scalar()
    return PersonKey(into) if into else about


def _key(type_: str, row: Any) -> ResourceKey:
    return resource_key(MADE_HERE, "break-glass", type_, str(row.id))


def _organisation(place: Place, ods: Ods) -> dict[str, Any]:
    known = place.organisations.get(ods)
    return {
        "type": "Organization",
        "identifier": {"system": ODS, "value": ods},
        "display": known.name if known else ods,
    }


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
