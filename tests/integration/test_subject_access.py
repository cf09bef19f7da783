"""Everything that is held is gathered, a human decides about what tells of others, and only then is it released."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from fhir.resources.R4B.bundle import Bundle
from ingest_builders import condition, key, patient, person_of, take
from page_builders import lens
from sqlalchemy import Connection, select
from subject_access_builders import SECRET, gathered, iris, kept, opened, released, reviewed, who

from carelink.cases import subject_access as requests
from carelink.cases import subject_access_release as release
from carelink.cases import subject_access_review as review
from carelink.cases.subject_access import Asked
from carelink.cases.subject_access_package import Answer
from carelink.cases.subject_access_review import Said
from carelink.db.tables import audit_event, outbox, subject_request
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters import exact_json


@pytest.fixture
def nora(conn: Connection, place: Place, now: datetime) -> PersonKey:
    return who(conn, place, now)


@pytest.fixture
def request_(conn: Connection, place: Place, now: datetime, nora: PersonKey) -> int:
    id_ = opened(conn, place, now, nora)
    gathered(conn, place, now, id_)
    return id_


def test_a_worker_is_asked_to_gather_when_it_is_known_who_asks(
    conn: Connection, place: Place, now: datetime, nora: PersonKey
) -> None:
    asks = iris(conn, place, now)
    id_ = requests.open_request(conn, asks, nora, Asked("A solicitor", "agent", now - timedelta(days=3)))
    waiting = select(outbox.c.payload).where(outbox.c.kind == requests.GATHER, outbox.c.done_at.is_(None))
    assert conn.execute(waiting).all() == []
    requests.note_identity(conn, asks, id_, now)
    assert conn.execute(waiting).scalars().all() == [{"request": id_}]


def test_every_part_of_what_is_held_is_gathered(
    conn: Connection, place: Place, now: datetime, nora: PersonKey, request_: int
) -> None:
    package = kept(conn, request_)
    told = {part.heading: [item.title for item in package.of(part)] for part in package.parts}
    assert any("Diabetes" in title for title in told["Problems"])
    assert told["People involved"] == ["Susan Hart"]
    assert any(
        title.startswith("Observation from Hospital") for title in told["What sources sent that could not be stored"]
    )
    assert any(title == "A record of Hospital" for title in told["How your records were joined"])
    assert "Integrated" in " ".join(told["Who looked at your record"]) or told["Who looked at your record"]
    assert package.facts["name"] == "Nora Hart"


def test_earlier_versions_are_told_where_they_said_something_else(conn: Connection, request_: int) -> None:
    plain = kept(conn, request_).item(f"resource:{key(condition('plain'))}")
    assert plain is not None
    assert plain.version == 2
    assert any("Seen again" in line for line in plain.lines)
    assert any("May 2019" in line for line in plain.earlier)


def test_what_may_be_others_is_proposed_with_its_words_and_what_is_the_persons_own_is_not(
    conn: Connection, request_: int
) -> None:
    package = kept(conn, request_)
    proposed = {item.id: item.proposal for item in package.proposed}
    told = proposed[f"resource:{key(condition('told'))}"]
    assert told is not None
    assert (told.answer, set(told.words)) == (Answer.REDACT, {"Susan", "01632 960 888"})
    assert f"resource:{key(condition('own'))}" not in proposed, "a number of her own"
    assert f"resource:{key(condition('plain'))}" not in proposed


def test_of_what_the_law_restricts_not_even_who_handles_the_request_sees_a_word(
    conn: Connection, place: Place, now: datetime, request_: int
) -> None:
    package = kept(conn, request_)
    law = package.item(f"resource:{key(condition('law'))}")
    assert law is not None
    assert law.open
    assert (law.title, law.lines, law.kind, law.type) == ("Something that the law restricts", (), "", "")
    row = conn.execute(select(subject_request.c.package).where(subject_request.c.id == request_)).scalar_one()
    assert SECRET not in str(row)
    with pytest.raises(Forbidden) as refused:
        review.decide(conn, iris(conn, place, now), request_, [Said(law.id, "include", "", "they asked")])
    assert refused.value.rule == "see-legally-restricted"


def test_nothing_is_released_before_every_proposal_has_an_answer(
    conn: Connection, place: Place, now: datetime, request_: int
) -> None:
    asks = iris(conn, place, now)
    with pytest.raises(Conflict, match="still wait"):
        review.finish(conn, asks, request_)
    with pytest.raises(Conflict, match="Finish the review first"):
        review.release(conn, asks, request_)
    with pytest.raises(NotFound):
        release.released_file(conn, asks, request_, "printed")


WRONG = [
    ("", "", "a reason", "Choose what becomes of it"),
    ("redact", "", "a reason", "Say which words are taken out"),
    ("redact", "Suzanne", "a reason", "does not stand in it"),
    ("leave-out", "", " ", "Say why"),
]


@pytest.mark.parametrize(("answer", "words", "why", "says"), WRONG)
def test_an_answer_that_would_not_do_what_it_says_is_not_kept(
    conn: Connection, place: Place, now: datetime, request_: int, answer: str, words: str, why: str, says: str
) -> None:
    id_ = f"resource:{key(condition('told'))}"
    before = kept(conn, request_)
    wrong = review.decide(conn, iris(conn, place, now), request_, [Said(id_, answer, words, why)])
    assert says in wrong[id_]
    assert kept(conn, request_) == before


def test_what_is_released_has_everything_but_what_was_decided_against(
    conn: Connection, place: Place, now: datetime, request_: int
) -> None:
    reviewed(conn, place, now, request_)
    released(conn, place, now, request_)
    asks = iris(conn, place, now)
    text, kind = release.released_file(conn, asks, request_, "fhir")
    assert kind == "application/fhir+json"
    said = text.decode()
    assert "Seen again" in said
    for version in ("2019-05", "2019-06"):
        assert version in said
    assert "[removed] says that she drinks. Ring [removed]." in said
    assert "01632 960 777" not in said, "the daughter's own number"
    assert "Ring her on 01632 960111." in said
    assert SECRET not in said
    told = exact_json.loads(text)
    assert told["entry"][0]["resource"]["resourceType"] == "Composition"
    Bundle.model_validate_json(text)
    printed, as_ = release.released_file(conn, asks, request_, "printed")
    assert (as_, printed[:5]) == ("application/pdf", b"%PDF-")


def test_each_time_it_is_given_out_the_audit_says_so(
    conn: Connection, place: Place, now: datetime, nora: PersonKey, request_: int
) -> None:
    reviewed(conn, place, now, request_)
    released(conn, place, now, request_)
    release.released_file(conn, iris(conn, place, now), request_, "fhir")
    t = audit_event.c
    rows = conn.execute(select(t.user, t.person, t.detail).where(t.action == "export").order_by(t.id)).all()
    assert [row.person for row in rows] == [nora, nora]
    assert rows[-1].user == "iris.lang"
    assert rows[-1].detail == {"request": request_, "file": "fhir"}


def test_gathering_again_keeps_decisions_on_what_says_the_same_and_asks_anew_about_what_changed(
    conn: Connection, place: Place, now: datetime, request_: int
) -> None:
    reviewed(conn, place, now, request_)
    changed = condition(
        "told", onsetDateTime="2020", note=[{"text": "Susan was here, and Susan's number is 01632 960 999."}]
    )
    take(conn, place, [changed], now)
    package = gathered(conn, place, now, request_)
    assert [item.id for item in package.open if item.key] == [f"resource:{key(condition('told'))}"]
    one = requests.request(conn, iris(conn, place, now), request_)
    assert one.status == "gathered", "it must be reviewed again"


def test_a_decision_is_taken_for_all_that_are_alike_where_that_is_asked(
    conn: Connection, place: Place, now: datetime, nora: PersonKey
) -> None:
    for number in range(3):
        take(conn, place, [condition(f"n{number}", note=[{"text": f"Susan came {number}"}])], now)
    id_ = opened(conn, place, now, nora)
    package = gathered(conn, place, now, id_)
    first = next(one for one in package.open if one.key == str(key(condition("n0"))))
    assert len(review.alike(package, first)) == 2
    review.decide(conn, iris(conn, place, now), id_, [Said(first.id, "redact", "Susan", "her daughter", alike=True)])
    after = kept(conn, id_)
    assert len(package.open) - len(after.open) == 3
    assert after.item(f"resource:{key(condition('n2'))}").decided.words == ("Susan",)  # type: ignore[union-attr]


def test_only_a_role_that_handles_requests_does_any_of_it(
    conn: Connection, place: Place, now: datetime, nora: PersonKey, request_: int
) -> None:
    sam = lens(conn, place, now, "sam.okafor")
    for act in (
        lambda: requests.requests(conn, sam),
        lambda: requests.open_request(conn, sam, nora, Asked("x", "self", now, now)),
        lambda: requests.package(conn, sam, request_),
        lambda: review.decide(conn, sam, request_, []),
        lambda: review.release(conn, sam, request_),
        lambda: release.released_file(conn, sam, request_, "fhir"),
    ):
        with pytest.raises(Forbidden):
            act()


def test_a_request_is_extended_once_within_its_first_month_with_the_reason(
    conn: Connection, place: Place, now: datetime, nora: PersonKey
) -> None:
    asks = iris(conn, place, now)
    old = requests.open_request(
        conn, asks, nora, Asked("Nora", "self", now - timedelta(days=60), now - timedelta(days=60))
    )
    with pytest.raises(Conflict, match="that had to be said by"):
        requests.extend(conn, asks, old, "much")
    new = opened(conn, place, now, nora)
    with pytest.raises(Invalid):
        requests.extend(conn, asks, new, " ")
    requests.extend(conn, asks, new, "Nine hospitals")
    assert requests.request(conn, asks, new).clock.extended
    with pytest.raises(Conflict):
        requests.extend(conn, asks, new, "again")


def test_what_was_gathered_is_forgotten_when_a_request_is_withdrawn(
    conn: Connection, place: Place, now: datetime, request_: int
) -> None:
    requests.end(conn, iris(conn, place, now), request_, "withdrawn", "She has what she wanted")
    assert kept(conn, request_).items == ()
    gathered(conn, place, now, request_)
    assert kept(conn, request_).items == (), "and is not gathered again"


def test_a_person_sees_what_they_asked_for_and_nothing_of_what_others_asked(
    conn: Connection, place: Place, now: datetime
) -> None:
    take(conn, place, [patient("p9")], now)
    assert person_of(conn, patient("p9"))
    sam = lens(conn, place, now, "sam.okafor")
    with pytest.raises(Forbidden):
        requests.own(conn, sam)
    with pytest.raises(Forbidden):
        requests.ask_for_oneself(conn, sam)
