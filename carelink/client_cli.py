"""`carelink clients`: the systems and apps that may ask the FHIR API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from carelink import client_commands, commands
from carelink.client_commands import Keys

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".carelink"),
    show_default=True,
    help="the demo's folder, used where no CARELINK_DATABASE_URL is set",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _keys(command: Callable[..., Any]) -> Callable[..., Any]:
    """The three ways to prove who one is."""
    for option in (
        click.option("--jwks-url", default="", metavar="URL", help="where its public keys are (https)"),
        click.option("--jwks", type=_FILE, help="a file with its public keys"),
        click.option(
            "--secret",
            default="",
            is_flag=False,
            flag_value="",
            help="for development: of 32 characters or more  [default: a new one]",
        ),
    ):
        command = option(command)
    return command


def _one_of(jwks_url: str, jwks: Path | None, secret: str, public: bool = False) -> Keys:
    if sum(map(bool, (jwks_url, jwks, secret, public))) > 1:
        raise click.UsageError("Give one of --jwks-url, --jwks, --secret and --public.")
    return Keys(jwks_url, jwks, secret, public)


@click.group("clients")
def client_group() -> None:
    """Systems and apps that may ask the FHIR API."""


@client_group.command("add")
@click.argument("name")
@click.option("--organisation", required=True, metavar="ODS", help="whose it is, by ODS code")
@click.option("--role", default="", help="as which kind of worker a system asks  [default: the first of its staff's]")
@click.option("--scopes", required=True, help='what it may ask for: "system/Patient.rs" or "system/*.rs"')
@click.option(
    "--redirect", "redirects", multiple=True, metavar="URI", help="where an app is returned to; makes it an app"
)
@click.option("--launch-url", default="", metavar="URL", help="where an app is opened from a person's page")
@click.option("--public", is_flag=True, help="an app that can keep no key: PKCE alone")
@_keys
@DATA
def add(name: str, organisation: str, role: str, scopes: str, redirects: tuple[str, ...], launch_url: str, public: bool, jwks_url: str, jwks: Path | None, secret: str, data: Path) -> None:  # fmt: skip
    """Register a system or an app, or change it. A secret is told here, once, and not kept."""
    keys = _one_of(jwks_url, jwks, secret, public)
    with commands.opened(data) as shop:
        for line in client_commands.add(shop, name, organisation, role, scopes, keys, redirects, launch_url):
            click.echo(line)


@client_group.command("list")
@DATA
def list_(data: Path) -> None:
    """All of them, also those that were ended."""
    with commands.opened(data) as shop:
        for line in client_commands.listed(shop):
            click.echo(line)


@client_group.command("rotate")
@click.argument("name")
@_keys
@DATA
def rotate(name: str, jwks_url: str, jwks: Path | None, secret: str, data: Path) -> None:
    """Give one other keys, or another secret, from now on."""
    keys = _one_of(jwks_url, jwks, secret)
    with commands.opened(data) as shop:
        for line in client_commands.rotate(shop, name, keys):
            click.echo(line)


@client_group.command("revoke")
@click.argument("name")
@DATA
def revoke(name: str, data: Path) -> None:
    """End one: no new tokens from now on; those that it has are over within five minutes."""
    with commands.opened(data) as shop:
        click.echo(client_commands.revoke(shop, name))
