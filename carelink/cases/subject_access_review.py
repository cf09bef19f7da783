"""The review of a package: what becomes of each item that may not be the person's to have, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from carelink import outbox
from carelink.cases import subject_access as requests
from carelink.cases.subject_access import Request
from carelink.cases.subject_access_bodies import text_of
from carelink.cases.subject_access_package import Answer, Decided, Item, Package, to_json
from carelink.cases.subject_access_redaction import stands_in
from carelink.cases.subject_access_rules import BY_ID, LEGAL
from carelink.consent.lens import Lens
from carelink.errors import Conflict, Forbidden, Invalid, NotFound

MAY_SEE_LEGAL = "see-legally-restricted"
PAGE = 10  # items on a page of the review


@dataclass(frozen=True)
class Said:
    """What a human says of one item, as it was typed; `words` one a line."""

    item: str
    answer: str
    words: str = ""
    why: str = ""
    alike: bool = False  # and the same of all others that are open for the same reasons and words


def reasons(item: Item) -> str:
    """Why it was proposed, as the reason that is kept unless the reviewer writes another."""
    rules = [BY_ID[id_] for id_ in item.proposal.rules] if item.proposal else []
    return "; ".join(f"{rule.label}: {rule.because}" for rule in rules)


def alike(package: Package, item: Item) -> tuple[Item, ...]:
    """The others that wait for the same reasons and the same words."""
    return tuple(one for one in package.open if one.id != item.id and one.proposal == item.proposal)


def is_legal(item: Item) -> bool:
    """Whether the law restricts it: then it can be left out unread, and only some may do anything else."""
    return item.proposal is not None and LEGAL in item.proposal.rules


def decide(conn: Connection, lens: Lens, id_: int, said: Iterable[Said]) -> Mapping[str, str]:
    """Keep what was said of these items; gives what is wrong by item, and then keeps nothing.

    Raises `Forbidden`, `NotFound`, and `Conflict` for a request that is not under review.
    """
    one = _under_review(conn, lens, id_)
    package = requests.package(conn, lens, id_)
    wrong: dict[str, str] = {}
    changed = package
    for each in said:
        try:
            for item in _decided(conn, lens, changed, each):
                changed = changed.with_item(item)
        except Invalid as problem:
            wrong[each.item] = problem.why
    if not wrong:
        _keep(conn, lens, one, changed, len(package.open) - len(changed.open))
    return wrong


def _keep(conn: Connection, lens: Lens, one: Request, package: Package, decided: int) -> None:
    values = {"status": "gathered", "reviewed_at": None, "reviewed_by": None}
    requests.change(conn, one.id, package=to_json(package), **values)
    requests.tell(conn, lens, one.person, one.id, "decided", items=decided)


def _decided(conn: Connection, lens: Lens, package: Package, said: Said) -> list[Item]:
    """The item, and those that are alike where that was asked, with what was decided. Raises `Invalid`."""
    item = package.item(said.item)
    if item is None:
        raise NotFound("There is no such item in this request any more: load the page again")
    made = _decision(conn, lens, item, said)
    others = alike(package, item) if said.alike else ()
    return [replace(one, decided=made) for one in (item, *others)]


def _decision(conn: Connection, lens: Lens, item: Item, said: Said) -> Decided:
    answer = next((one for one in Answer if one.value == said.answer), None)
    if answer is None:
        raise Invalid("answer", "Choose what becomes of it")
    if is_legal(item) and answer is not Answer.LEAVE_OUT and MAY_SEE_LEGAL not in lens.may:
        raise Forbidden("Your role can't release what the law restricts", rule=MAY_SEE_LEGAL)
    if not said.why.strip():
        raise Invalid("why", "Say why")
    words = tuple(line.strip() for line in said.words.splitlines() if line.strip())
    if answer is Answer.REDACT:
        _check(item, words, text_of(conn, lens, item))
    kept = words if answer is Answer.REDACT else ()
    return Decided(answer, kept, said.why.strip(), lens.user, lens.at.isoformat(timespec="seconds"))


def _check(item: Item, words: tuple[str, ...], text: str) -> None:
    """A word that does not stand there would take nothing out, and nobody would notice."""
    if not words:
        raise Invalid("words", "Say which words are taken out")
    lost = [word for word in words if not stands_in(word, text)]
    if lost:
        raise Invalid("words", f"{lost[0]!r} does not stand in it: write it as it stands there")


def _under_review(conn: Connection, lens: Lens, id_: int) -> Request:
    one = requests.request(conn, lens, id_, lock=True)
    if one.status not in ("gathered", "reviewed"):
        raise Conflict("This request is not under review")
    return one


def finish(conn: Connection, lens: Lens, id_: int) -> None:
    """The review is complete. Raises `Conflict` while an item waits for a decision."""
    one = _under_review(conn, lens, id_)
    waiting = len(requests.package(conn, lens, id_).open)
    if waiting:
        raise Conflict(f"{waiting} items still wait for a decision")
    requests.change(conn, id_, status="reviewed", reviewed_by=lens.user, reviewed_at=lens.at)
    requests.tell(conn, lens, one.person, id_, "reviewed")


def release(conn: Connection, lens: Lens, id_: int) -> None:
    """A worker makes what is released from what was reviewed. Raises `Conflict` where it was not reviewed."""
    one = _under_review(conn, lens, id_)
    if one.status != "reviewed":
        raise Conflict("Finish the review first: nothing is released before every proposal has an answer")
    requests.change(conn, id_, status="releasing", released_by=lens.user)
    work = {"request": id_, "user": lens.user}
    outbox.add(conn, requests.RELEASE, work, lens.at, once=f"{requests.RELEASE}:{id_}")
    requests.tell(conn, lens, one.person, id_, "release")
