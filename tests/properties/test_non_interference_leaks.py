"""The proof of non-interference can fail: leaks that are planted in the application are found.

Each is one that a system of this kind has had, or nearly had. So is the other half: a notice that policy allows comes
and goes, and nothing else of the page does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, false, func, not_, select, true
from werkzeug.sansio.response import Response
from worlds_asking import Site
from worlds_pairs import Asker, Differs, Pair, Tally, asked_in, askers, run

from carelink.cases import caseload, patient_match
from carelink.cases import story as stories
from carelink.consent.lens import Lens
from carelink.db.embedded import Embedded
from carelink.db.tables import audit_event, person_trait, relationship, resource, resource_version
from carelink.errors import Forbidden, NotFound
from carelink.fhir import blueprint as fhir
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import chains, composites, exporting, kept, lookups, ordering, search, store, timeline_names
from carelink.web import menu
from carelink.web.transaction import connection

TRIES = 60  # pairs of worlds, at most, in which a leak must show


@pytest.fixture(scope="module")
def site(postgres: Embedded, place: Place) -> Iterator[Site]:
    with asked_in(postgres, place, "leaks") as made:
        yield made


# What is planted ------------------------------------------------------------------------------------


def _counts_all(patch: pytest.MonkeyPatch) -> None:
    """Bundle.total of all that there is of the person."""
    found: dict[str, int] = {}

    def everything(conn: Connection, lens: Lens, person: PersonKey) -> Any:
        found["all"] = _number(conn, resource.c.person == person)
        return whole(conn, lens, person)

    whole = store.everything
    patch.setattr(store, "everything", everything)
    patch.setattr(fhir.bundle, "matches", lambda rows: found["all"])


def _number(conn: Connection, *where: Any) -> int:
    return int(conn.execute(select(func.count()).select_from(resource).where(*where)).scalar_one())


def _includes_all(patch: pytest.MonkeyPatch) -> None:
    """What is named by what is shown comes without the lens."""

    def by_keys(conn: Connection, lens: Lens, keys: Any) -> Any:
        return through_the_lens(conn, replace(Lens.system("planted", lens.at)), keys)

    through_the_lens = search.by_keys
    for module in (store.search, timeline_names.search):
        patch.setattr(module, "by_keys", by_keys)


def _tags_by_all_versions(patch: pytest.MonkeyPatch) -> None:
    """An ETag of all versions of everything."""

    def set_etag(self: Response, etag: str, weak: bool = False) -> None:
        number = connection().execute(select(func.count()).select_from(resource_version)).scalar_one()
        own(self, f"{etag}-{number}", weak)

    own = Response.set_etag
    patch.setattr(Response, "set_etag", set_etag)


def _counts_in_the_menu(patch: pytest.MonkeyPatch) -> None:
    """How much there is of the people of the caseload, seen or not."""
    entries = tuple(
        replace(one, late=lambda conn, lens: _number(conn)) if one.endpoint == "dashboard.caseload" else one
        for one in menu.ENTRIES
    )
    patch.setattr(menu, "ENTRIES", entries)


def _tells_what_the_law_restricts(patch: pytest.MonkeyPatch) -> None:
    """The notice that something is not shown, of whatever is not shown."""

    def withheld(self: Lens, conn: Connection, key: PersonKey) -> bool:
        t = resource.c
        return bool(conn.execute(select(t.key).where(t.person == key, self.where() == false()).limit(1)).first())

    patch.setattr(Lens, "withheld", withheld)


def _forbids_what_is_there(patch: pytest.MonkeyPatch) -> None:
    """What is hidden is forbidden, what is not there is not found."""

    def get(conn: Connection, lens: Lens, type_: str, key: UUID) -> Any:
        try:
            return own(conn, lens, type_, key)  # type: ignore[arg-type]
        except NotFound:
            if _number(conn, resource.c.key == key):
                raise Forbidden("You may not see this") from None
            raise

    own = search.get
    for module in (search, store):
        patch.setattr(module, "get", get)


def _pages_over_all(patch: pytest.MonkeyPatch) -> None:
    """Whether there is a further page is worked out before the lens."""

    def unkept(conn: Connection, lens: Lens, query: Any) -> Any:
        page = own(conn, lens, query)
        more = _number(conn, resource.c.type == "Patient", resource.c.source == "carelink") % 2
        return replace(page, next=page.next or "MTk3MC0wMS0wMVQwMDowMDowMCswMDowMHww" if more else "")

    own = search.unkept
    patch.setattr(search, "unkept", unkept)


def _chains_past_the_lens(patch: pytest.MonkeyPatch) -> None:
    """A chain or `_has` asks whatever is at the other end (HAPI's issue 6065)."""
    patch.setattr(chains, "_seen", lambda over, t, type_: [t.c.type == type_, not_(t.c.deleted)])


def _searches_where_they_are(patch: pytest.MonkeyPatch) -> None:
    """Where a restricted person is counts in searches and orders, though it is sent to nobody."""
    for module in (lookups, chains, ordering, composites):
        patch.setattr(module, "tellable", lambda over, i, parameter, by_target=True: true())


def _comes_without_the_lens(patch: pytest.MonkeyPatch) -> None:
    """What refers to what is found comes with it, whoever may see it (Microsoft's FHIR server, PR 5683)."""

    def referring(conn: Connection, lens: Lens, *asked: Any) -> Any:
        return own(conn, Lens.system("planted", lens.at), *asked)

    own = search.referring
    patch.setattr(search, "referring", referring)


def _sends_where_they_are(patch: pytest.MonkeyPatch) -> None:
    """A restricted person's address goes out to all who see them."""
    patch.setattr(Lens, "body", lambda self, t=resource, person=None: t.c.body)


def _counts_the_allocated(patch: pytest.MonkeyPatch) -> None:
    """The caseload says that there are more, by all involvements there are."""

    def mine(conn: Connection, place: Place, lens: Lens, sort: str = "name") -> Any:
        number = conn.execute(select(func.count()).select_from(relationship)).scalar_one()
        return replace(own(conn, place, lens, sort), more=number % 2 == 0)

    own = caseload.caseload
    patch.setattr(caseload, "caseload", mine)


def _times_the_audit(patch: pytest.MonkeyPatch) -> None:
    """The timeline ends with how often anybody looked."""

    def story(conn: Connection, lens: Lens, person: PersonKey, asked: Any) -> Any:
        number = conn.execute(select(func.count()).select_from(audit_event)).scalar_one()
        return replace(own(conn, lens, person, asked), next=str(number))

    own = stories.story_alone
    patch.setattr(stories, "story_alone", story)


def _exports_all(patch: pytest.MonkeyPatch) -> None:
    """An export is written by a job that sees all."""
    own = exporting._changed
    patch.setattr(exporting, "_changed", lambda lens, wanted: own(Lens.system("planted", lens.at), wanted))


def _matches_by_all(patch: pytest.MonkeyPatch) -> None:
    """A match is surer where what the linker knows agrees, as it would be with the linker's own table."""

    def alike(asked: Any, shown: Any, linking: Any) -> Any:
        lives_there = select(person_trait.c.person).where(person_trait.c.address == asked.address)
        there = set(connection().execute(lives_there).scalars()) if asked.address else set()
        found = own(asked, shown, linking)
        return tuple(replace(one, score=one.score / 2) if one.person in there else one for one in found)

    own = patient_match.alike
    patch.setattr(patient_match, "alike", alike)


@dataclass(frozen=True)
class Leak:
    plant: Callable[[pytest.MonkeyPatch], None]
    asker: str  # whose name begins so
    only: tuple[str, ...]
    changes: tuple[str, ...]


SEARCH = ("fhir_search.find", "fhir_search.find_by_form")
LEAKS: Mapping[str, Leak] = {
    "a total of all": Leak(_counts_all, "system", ("fhir.everything",), ("one more kept back", "one less")),
    "an include without the lens": Leak(_includes_all, "nadia", ("dashboard.person",), ("says otherwise",) * 8),
    "an ETag of all versions": Leak(_tags_by_all_versions, "system", ("fhir.read", "fhir_resources.read"), ("one more", "one less")),
    "a number in the menu": Leak(_counts_in_the_menu, "sam", ("dashboard.find", "breakglass.search"), ("one more", "of nobody")),
    "a notice of what the law restricts": Leak(_tells_what_the_law_restricts, "nadia", ("dashboard.person", "consents.listed"), ("one less",) * 20),
    "403 for what is there": Leak(_forbids_what_is_there, "system", ("fhir.read", "fhir_resources.read"), ("one less",) * 4),
    "a further page": Leak(_pages_over_all, "system", SEARCH, ("somebody more",)),
    "a chain past the lens": Leak(_chains_past_the_lens, "system", SEARCH, ("one less", "one more kept back") * 4),
    "where somebody lives, by a search": Leak(_searches_where_they_are, "system", SEARCH, ("lives elsewhere",) * 4),
    "what comes without the lens": Leak(_comes_without_the_lens, "system", SEARCH, ("one less", "one more") * 4),
    "where somebody lives": Leak(_sends_where_they_are, "nadia", ("dashboard.person",), ("lives elsewhere",)),
    "how many are involved": Leak(_counts_the_allocated, "priya", ("dashboard.caseload",), ("somebody more",)),
    "a match by an address that is kept back": Leak(_matches_by_all, "system", ("fhir_match.match",), ("lives elsewhere",)),
    "how often anybody looked": Leak(_times_the_audit, "self", ("portal.me",), ("a look", "a look")),
    "an export of all": Leak(_exports_all, "system", ("fhir_exports.status", "fhir_exports.file"), ("one more", "one less") * 4),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_that_is_planted_is_found(name: str, site: Site, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    leak = LEAKS[name]
    monkeypatch.setattr(kept, "_made", OrderedDict())  # statements that were put together before it was planted
    leak.plant(monkeypatch)
    with pytest.raises(Differs, match=r"asks (GET|POST)"):
        for _ in _ask(site, place, leak.asker, leak.only, leak.changes):
            pass


def _ask(site: Site, place: Place, asker: str, only: tuple[str, ...], changes: tuple[str, ...]) -> Iterator[Tally]:
    who: list[Asker] = [one for one in askers(place) if one.who.name.startswith(asker)]
    tally = Tally()
    for seed in range(TRIES):
        run(site, Pair(seed, who[seed % len(who)], changes, 12, only), tally)
        yield tally


def test_that_something_is_not_shown_comes_and_goes_and_nothing_else_of_the_page_does(site: Site, place: Place) -> None:
    pages = ("dashboard.person", "consents.listed", "fhir.everything")
    for tally in _ask(site, place, "nadia", pages, ("one more kept back",)):
        if tally.cut["something is not shown"]:
            break
    assert tally.cut["something is not shown"]
    for tally in _ask(site, place, "system ward", pages, ("one more kept back",)):
        if tally.cut["something is not shown"]:
            break
    assert tally.cut["something is not shown"]
