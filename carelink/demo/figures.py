"""What the record holds, in numbers: told at the end of a start, the same after every start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, func, select

from carelink.consent.lens import Lens
from carelink.db.tables import link_decision, person, person_link
from carelink.identity.dev_people import themselves, workers
from carelink.place import Place
from carelink.record import quarantine, search, source_state
from carelink.record.query import Query
from carelink.record.source_state import Standing


@dataclass(frozen=True)
class Figures:
    """Numbers of people, resources and links; nothing about anybody."""

    people: int
    resources: int
    links: Mapping[str, int]  # method -> links that stand
    questions: int  # links that a human must decide
    quarantined: tuple[tuple[str, str, str, int], ...]  # source, type, reason, how many
    standings: Mapping[str, Standing]


def figures(conn: Connection, now: datetime) -> Figures:
    """As they are now."""
    methods = select(person_link.c.method, func.count()).where(person_link.c.undone_at.is_(None)).group_by("method")
    return Figures(
        people=_count(conn, select(func.count()).select_from(person).where(person.c.merged_into.is_(None))),
        resources=search.count(conn, Lens.system("the demo says what it holds", now), Query()),
        links=dict(sorted((row[0], row[1]) for row in conn.execute(methods))),
        questions=_count(conn, select(func.count()).select_from(link_decision).where(link_decision.c.answer.is_(None))),
        quarantined=tuple(quarantine.counts(conn)),
        standings=source_state.standings(conn),
    )


def _count(conn: Connection, asked: object) -> int:
    return int(conn.execute(asked).scalar_one())  # type: ignore[call-overload]


def tell(console: Console, place: Place, found: Figures, seconds: float) -> None:
    """Print what the record holds and how the sources stand."""
    links = ", ".join(f"{count:,} by {method}" for method, count in found.links.items())
    console.print(f"People       {found.people:,}")
    console.print(f"Resources    {found.resources:,}")
    console.print(f"Links        {links or 'none'}; {found.questions:,} for a human to decide")
    console.print(f"Quarantined  {sum(row[3] for row in found.quarantined):,}")
    for source, type_, reason, count in found.quarantined:
        console.print(f"             {count:,} x {type_} of {source}: {reason}", style="dim")
    for entry in place.sources:
        standing = found.standings.get(entry.name)
        if standing is None or standing.status != "good":
            why = f": {standing.why}" if standing and standing.why else ""
            console.print(f"{entry.label} could not be pulled to its end{why}", style="bold red")
    console.print(f"Seconds      {seconds:.0f}")


def tell_sign_ins(console: Console, place: Place, people: tuple[Mapping[str, str], ...]) -> None:
    """Print who can sign in, at the development provider that asks nobody for a password."""
    table = Table("Sign in as", "who is", title="No password is asked: this is a demo", title_justify="left")
    for user in workers(place):
        table.add_row(user.name, user.about)
    for one in people:
        user = themselves(one["sub"], one["name"], one["nhs_number"], one["birthdate"])
        table.add_row(user.name, user.about)
    console.print(table)
