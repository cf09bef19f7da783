"""`carelink subscriptions`: how that goes which systems are told of, for who runs the place."""

from __future__ import annotations

import getpass
from pathlib import Path
from uuid import UUID

import click

from carelink import commands
from carelink.cases import subscription_watch
from carelink.cases.subscription_watch import Stands
from carelink.clock import LONDON
from carelink.jobs.shop import Shop

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".carelink"),
    show_default=True,
    help="the demo's folder, used where no CARELINK_DATABASE_URL is set",
)


@click.group("subscriptions")
def subscription_group() -> None:
    """What systems asked to be told of."""


@subscription_group.command("list")
@DATA
def subscriptions_list(data: Path) -> None:
    """Every subscription with its state, what waits, and what went wrong."""
    with commands.opened(data) as shop:
        for line in listed(shop):
            click.echo(line)


@subscription_group.command("off")
@click.argument("key", type=click.UUID)
@click.option("--why", required=True, help="its client reads it as the error of the subscription")
@DATA
def subscriptions_off(key: UUID, why: str, data: Path) -> None:
    """Tell that subscriber nothing more, until its client asks anew."""
    with commands.opened(data) as shop:
        click.echo(off(shop, key, why))


def listed(shop: Shop) -> list[str]:
    """A line a subscription."""
    with shop.engine.connect() as conn:
        return [_line(one) for one in subscription_watch.everybody(conn)] or ["Nobody has subscribed"]


def off(shop: Shop, key: UUID, why: str) -> str:
    """Raises `NotFound` where there is none, `Invalid` without a reason."""
    with shop.engine.begin() as conn:
        subscription_watch.switch_off(conn, key, why, f"operator:{getpass.getuser()}", shop.clock())
    return f"{key} is off"


def _line(one: Stands) -> str:
    told = f"last took something {one.told_at.astimezone(LONDON):%d %b %Y %H:%M}" if one.told_at else "took nothing yet"
    parts = (
        f"{one.key} {one.client}: {one.topic} to {one.endpoint}",
        one.status,
        f"{one.events} events told, {one.waiting} waiting",
        told,
        f"{one.failures} tries failed" if one.failures else "",
        one.error,
    )
    return "; ".join(filter(None, parts))
