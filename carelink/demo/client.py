"""The demo's system that asks the FHIR API, so that the commands of the README work as they stand."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path

from rich.console import Console
from sqlalchemy import Connection

from carelink.demo.environment import Folder
from carelink.identity import clients
from carelink.identity.scopes import EVERY_TYPE
from carelink.ids import NHS_NUMBER
from carelink.place import Place, Staff
from fhir_adapters.simulators.cast import PARTS

ID = "ward-system"
SECRET_FILE = f"{ID}.secret"
SCOPES = f"{EVERY_TYPE} system/Subscription.cud"
ON_THE_WARD = PARTS["margaret-ellison"].person  # whom the system of the ward may see, in every demo


def register(conn: Connection, place: Place, folder: Folder) -> None:
    """A client of the organisation and role of the place's first clinician; its secret stays in the folder."""
    clinician = _clinician(place)
    if clinician is not None:
        secret = _secret(folder.path / SECRET_FILE)
        clients.register(conn, place, ID, clinician.organisation, clinician.role, SCOPES, secret)


def tell(console: Console, place: Place, folder: Path, base: str) -> None:
    """Print one line that gets a token and asks, to be pasted into a shell."""
    if _clinician(place) is not None:
        console.print(f"\nAsk the FHIR API as {ID}:\n{line(folder, base)}", highlight=False, markup=False)


def line(folder: Path, base: str) -> str:
    """The command, for a POSIX shell."""
    secret = f'"{ID}:$(cat {shlex.quote(str(folder / SECRET_FILE))})"'
    got = r"""sed 's/.*"access_token": *"\([^"]*\)".*/\1/'"""
    token = f"curl -s -u {secret} -d grant_type=client_credentials {base}/oauth2/token | {got}"
    asked = f"identifier={NHS_NUMBER}|{ON_THE_WARD.nhs_number}"
    return f'curl -s -H "Authorization: Bearer $({token})" -d "{asked}" {base}/fhir/R4/Patient/_search'


def _clinician(place: Place) -> Staff | None:
    treat = (one for one in place.staff.values() if "TREAT" in place.roles[one.role].purposes[:1])
    return next(treat, None)


def _secret(file: Path) -> str:
    """The same at every start."""
    if not file.is_file():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), "utf-8")
    return file.read_text("utf-8").strip()
