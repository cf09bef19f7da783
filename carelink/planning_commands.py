"""What the commands about counts and national opt-outs do, each as a function that gives its lines."""

from __future__ import annotations

import getpass
from pathlib import Path

from carelink.cases import opt_outs, opt_outs_file, planning
from carelink.cases.disclosure import Disclosure
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.identity.requesters import requester
from carelink.ids import UserId
from carelink.jobs.shop import Shop


def count(shop: Shop, question: str, user: str, purpose: str, *, as_csv: bool) -> list[str]:
    """The answer to a question as this worker may ask it. Audited as asked by whoever runs this.

    Raises `Forbidden` for a worker who may not count, `NotFound` for another question.
    """
    if not shop.settings.secret_key:
        raise Invalid("CARELINK_SECRET_KEY", "must be set: which counts are shown hangs on it")
    with shop.engine.begin() as conn:
        lens = Lens.compile(shop.place, requester(conn, shop.place, UserId(user), purpose), shop.clock())
        secret = Disclosure.of(shop.settings.secret_key)
        action = "export" if as_csv else "search"
        answer = planning.ask(conn, shop.place, lens, question, secret, action, _operator())
    return planning.as_csv(answer).splitlines() if as_csv else list(planning.in_words(answer))


def ask_for_opt_outs(shop: Shop, file: Path) -> str:
    """Write the list of NHS numbers that the national service is to check. Raises `Invalid` where the file is there."""
    with shop.engine.begin() as conn:
        numbers = opt_outs.to_ask(conn, _lens(shop, "the list for the national data opt-out service"))
        try:
            with file.open("xb") as out:
                file.chmod(0o600)
                out.write(opt_outs_file.written(numbers))
        except FileExistsError as wrong:
            raise Invalid(str(file), "is there already") from wrong
    return f"{len(numbers)} NHS numbers written to {file}"


def keep_opt_outs(shop: Shop, answer: Path, asked: Path) -> str:
    """Keep the answer of the national service. Raises `Invalid` with the line where either file is wrong: nothing is kept."""
    sent = opt_outs_file.read(asked.name, asked.read_bytes())
    left = opt_outs_file.answered(answer.name, answer.read_bytes(), sent)
    with shop.engine.begin() as conn:
        return str(opt_outs.keep(conn, shop.place, _lens(shop, "national data opt-outs"), sent, left))


def _operator() -> str:
    return f"operator:{getpass.getuser()}"


def _lens(shop: Shop, reason: str) -> Lens:
    return Lens.system(reason, shop.clock(), _operator())
