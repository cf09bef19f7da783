"""The `carelink` command. Whatever goes wrong ends as one line and exit 2: no stack trace reaches a person."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from psycopg.errors import UndefinedColumn, UndefinedTable
from sqlalchemy.exc import DBAPIError

from carelink import commands, logs, planning_commands, retention_commands
from carelink.client_cli import client_group
from carelink.errors import CareLinkError, Invalid
from carelink.jobs import ending
from carelink.subscription_commands import subscription_group

DATA = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".carelink"),
    show_default=True,
    help="the demo's folder, used where no CARELINK_DATABASE_URL is set",
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """One shared record across health and social care."""


@cli.command()
@click.option("--people", type=click.IntRange(1), default=200, show_default=True, help="how many are invented")
@click.option("--port", type=click.IntRange(1, 65535), help="of the pages  [default: 8000, or the next that is free]")
@click.option("--seed", type=int, default=1, show_default=True, help="another seed, other people")
@click.option("--once", is_flag=True, help="end when everything was brought up, pulled and told")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), default=Path(".carelink"), show_default=True)
def demo(people: int, port: int | None, seed: int, once: bool, data: Path) -> None:
    """Bring up the whole system here with invented people, until Ctrl-C."""
    commands.demo(people, port, data, seed, once)


@cli.group()
def db() -> None:
    """The database."""


@db.command()
@DATA
def upgrade(data: Path) -> None:
    """Bring the schema, organisations and staff up to date."""
    with commands.opened(data) as shop:
        click.echo(commands.upgrade(shop))


@db.command()
@DATA
def reindex(data: Path) -> None:
    """Index all that is stored again, now; `upgrade` asks a worker for it where that is needed."""
    with commands.opened(data) as shop:
        click.echo(commands.reindex(shop))


@cli.command()
@click.argument("source", required=False)
@click.option("--all", "every", is_flag=True, help="every source, in the order of the place")
@DATA
def pull(source: str | None, every: bool, data: Path) -> None:
    """Pull one source, or all, now. Exit 1 where one of them failed."""
    if (source is None) == (not every):
        raise Invalid("pull", "needs the name of a source, or --all")
    with commands.opened(data) as shop:
        failed = commands.pull(shop, source, click.echo)
    sys.exit(1 if failed else 0)


@cli.command()
@DATA
def worker(data: Path) -> None:
    """Do what the outbox asks for: over Redis where CARELINK_REDIS_URL is set, else straight from the table."""
    logs.to_stderr("warning")
    ending.heed()
    commands.worker(data)


@cli.command()
@DATA
def relay(data: Path) -> None:
    """Hand what the outbox asks for to the workers over Redis, and ask for the pulls that are due."""
    logs.to_stderr("warning")
    ending.heed()
    with commands.opened(data) as shop:
        commands.relay(shop)


@cli.group()
def place() -> None:
    """Place packs."""


@place.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path) -> None:
    """Say everything that is wrong with a place pack, with file and line. Exit 1 where anything is."""
    problems = commands.check_place(folder)
    for problem in problems:
        click.echo(problem)
    click.echo(f"{folder.name}: {len(problems) or 'nothing'} wrong")
    sys.exit(1 if problems else 0)


@cli.command()
@click.option("--user", required=True, help="id of the worker, as in staff.toml")
@click.option("--person", required=True, help="key of the person, or their NHS number")
@click.option("--purpose", default="", help="purpose of use  [default: the usual one of the role]")
@DATA
def explain(user: str, person: str, purpose: str, data: Path) -> None:
    """What a worker sees of a person, what not, and the rule for each."""
    with commands.opened(data) as shop:
        for line in commands.explain(shop, user, person, purpose):
            click.echo(line)


@cli.command("as-it-was")
@click.option("--user", required=True, help="id of the worker, as in the staff.toml of then")
@click.option("--person", required=True, help="key of the person, or their NHS number")
@click.option("--at", required=True, help='"2026-11-24 14:30" in London; without a time, the end of that day')
@click.option("--purpose", default="", help="purpose of use  [default: the usual one of the role of then]")
@click.option("--items", is_flag=True, help="also each item that could be seen, by type, key and version")
@DATA
def as_it_was(user: str, person: str, at: str, purpose: str, items: bool, data: Path) -> None:
    """What a worker could see of a person at a time, what not, and the rule for each."""
    with commands.opened(data) as shop:
        for line in commands.as_it_was(shop, user, person, at, purpose, items):
            click.echo(line)


@cli.command("what-if")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="a file to write: .html or .json")
@DATA
def what_if(folder: Path, report: Path | None, data: Path) -> None:
    """Try a place pack on the record before it is switched on: who would see more, who less. Changes nothing."""
    with commands.opened(data) as shop:
        for line in commands.what_if(shop, folder, report):
            click.echo(line)


@cli.command()
@click.argument("question")
@click.option("--user", required=True, help="id of a worker whose role may count, as in staff.toml")
@click.option("--purpose", default="", help="purpose of use  [default: the usual one of the role]")
@click.option("--csv", "as_csv", is_flag=True, help="as comma-separated values")
@DATA
def count(question: str, user: str, purpose: str, as_csv: bool, data: Path) -> None:
    """How many people, for planning or research; nobody is in the answer. See docs/consent.md for the questions."""
    with commands.opened(data) as shop:
        for line in planning_commands.count(shop, question, user, purpose, as_csv=as_csv):
            click.echo(line)


@cli.command("opt-outs-ask")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@DATA
def opt_outs_ask(file: Path, data: Path) -> None:
    """Write the list of NHS numbers that the national data opt-out service is to check."""
    with commands.opened(data) as shop:
        click.echo(planning_commands.ask_for_opt_outs(shop, file))


@cli.command("opt-outs")
@click.argument("file", type=FILE)
@click.option("--asked", type=FILE, required=True, help="the list that was sent: who is missing from FILE opted out")
@DATA
def opt_outs(file: Path, asked: Path, data: Path) -> None:
    """Keep what the national data opt-out service gave back: the NHS numbers without an opt-out. All or nothing."""
    with commands.opened(data) as shop:
        click.echo(planning_commands.keep_opt_outs(shop, file, asked))


@cli.group()
def quarantine() -> None:
    """What could not be stored safely."""


@quarantine.command("list")
@DATA
def quarantine_list(data: Path) -> None:
    """What waits, with each reason and its place."""
    with commands.opened(data) as shop:
        for line in commands.quarantined(shop):
            click.echo(line)


@quarantine.command()
@click.argument("source", required=False)
@DATA
def replay(source: str | None, data: Path) -> None:
    """Try again what waits, of one source or of all."""
    with commands.opened(data) as shop:
        for line in commands.replay(shop, source):
            click.echo(line)


@cli.group()
def links() -> None:
    """Which records are one person."""


@links.command("list")
@DATA
def links_list(data: Path) -> None:
    """The open questions: is this record that person? The surest first."""
    with commands.opened(data) as shop:
        for line in commands.questions(shop):
            click.echo(line)


@links.command()
@click.argument("decision", type=int)
@click.argument("answer", type=click.Choice(["same", "different"]))
@DATA
def decide(decision: int, answer: str, data: Path) -> None:
    """Answer an open question."""
    with commands.opened(data) as shop:
        click.echo(commands.decide(shop, decision, answer))


@links.command()
@click.argument("patient", type=click.UUID)
@click.option("--why", required=True, help="kept with the link that is undone")
@DATA
def undo(patient: object, why: str, data: Path) -> None:
    """Take a source's Patient out of the person whom it was linked to."""
    with commands.opened(data) as shop:
        click.echo(commands.undo(shop, str(patient), why))


cli.add_command(client_group)


cli.add_command(subscription_group)


@cli.group()
def audit() -> None:
    """The audit trail and its seals."""


@audit.command("seal")
@DATA
def audit_seal(data: Path) -> None:
    """Seal what waits, now. Workers do it once a minute."""
    with commands.opened(data) as shop:
        click.echo(commands.seal_audit(shop))


@audit.command("verify")
@click.option(
    "--key", "keys", type=FILE, multiple=True, help="a public key that is trusted, beside that of the settings"
)
@click.option("--expect", multiple=True, metavar="NUMBER:HASH", help="a seal that was noted outside: must be there")
@DATA
def audit_verify(keys: tuple[Path, ...], expect: tuple[str, ...], data: Path) -> None:
    """Say everything in the audit that is not as it was sealed. Exit 1 where anything is."""
    with commands.opened(data) as shop:
        good = commands.verify_audit(shop, keys, expect, click.echo)
    sys.exit(0 if good else 1)


@audit.command("key")
@DATA
def audit_key(data: Path) -> None:
    """The public key, for whoever verifies elsewhere."""
    click.echo(commands.public_key(data))


@audit.command("new-key")
def audit_new_key() -> None:
    """Make a key to seal with. It is told here, once, and not kept."""
    for line in commands.new_key():
        click.echo(line)


@cli.group("retention")
def retention_group() -> None:
    """How long what is held is kept, by retention.toml of the place."""


@retention_group.command("due")
@DATA
def retention_due(data: Path) -> None:
    """What would be erased now, by schedule. Erases nothing."""
    with commands.opened(data) as shop:
        for line in retention_commands.due(shop):
            click.echo(line)


@retention_group.command("run")
@click.option("--reason", required=True, help="by whose word; the audit keeps it")
@DATA
def retention_run(reason: str, data: Path) -> None:
    """Erase what is due, for good. See `due` first."""
    with commands.opened(data) as shop:
        for line in retention_commands.run(shop, reason):
            click.echo(line)


@retention_group.command("holds")
@DATA
def retention_holds(data: Path) -> None:
    """The legal holds that are open."""
    with commands.opened(data) as shop:
        for line in retention_commands.holds(shop):
            click.echo(line)


@retention_group.command("hold")
@click.argument("nhs-number")
@click.option("--why", required=True, help="the claim, inquiry or inquest")
@DATA
def retention_hold(nhs_number: str, why: str, data: Path) -> None:
    """Put a legal hold on a person's record: nothing of it is erased while it is on."""
    with commands.opened(data) as shop:
        click.echo(retention_commands.hold(shop, nhs_number, why))


@retention_group.command("lift")
@click.argument("number", type=int)
@DATA
def retention_lift(number: int, data: Path) -> None:
    """Take a legal hold off."""
    with commands.opened(data) as shop:
        click.echo(retention_commands.end_hold(shop, number))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command of this process and end it: 0 good, 1 told what is wrong, 2 could not be done."""
    logs.to_stderr("error")  # a person reads what the command prints; workers log more
    try:
        sys.exit(cli.main(arguments, prog_name="carelink", standalone_mode=False) or 0)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except click.ClickException as wrong:
        _end(wrong.format_message())
    except CareLinkError as wrong:
        _end(str(wrong))
    except DBAPIError as wrong:
        _end(_of_the_database(wrong))
    except Exception as fault:  # the rim: a person gets a line; the trace goes where it is asked for
        if os.environ.get("CARELINK_TRACE"):
            raise
        _end(f"a fault in CareLink ({type(fault).__name__}); CARELINK_TRACE=1 shows where")


def _of_the_database(wrong: DBAPIError) -> str:
    if isinstance(wrong.orig, UndefinedTable | UndefinedColumn):
        return "the database is not at the newest schema: run `carelink db upgrade`"
    return f"the database: {str(wrong.orig).strip().splitlines()[0]}"


def _end(why: str) -> None:
    click.echo(f"carelink: {why}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
