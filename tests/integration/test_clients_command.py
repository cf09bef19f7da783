"""`carelink clients add`: a system is registered by whoever runs the place, and its secret is told once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from fhir_builders import api, settings_for, token, trail
from processes import run
from sqlalchemy import Engine, select

from carelink import commands
from carelink.db import sync
from carelink.db.tables import client as client_table
from carelink.demo import client as demo_client
from carelink.demo.environment import Folder
from carelink.errors import Invalid, NotFound
from carelink.jobs.shop import Shop
from carelink.place import Place

ADD = ("clients", "add", "ward-system", "--organisation", "RDV", "--role", "nurse", "--scopes", "system/Patient.rs")


@pytest.fixture
def shop(engine: Engine, place: Place) -> Shop:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return Shop(engine, place, settings_for(place))


def test_a_registered_system_gets_tokens_for_the_secret_that_was_printed(
    shop: Shop, database_url: str, place: Place, engine: Engine
) -> None:
    told = run(*ADD, CARELINK_DATABASE_URL=database_url)
    assert (told.returncode, told.stderr) == (0, "")
    id_, secret = (line.partition(": ")[2] for line in told.stdout.splitlines())
    assert token(api(engine, place).test_client(), id_, secret)
    with engine.connect() as conn:
        assert secret not in str(conn.execute(select(client_table)).all())
    first = trail(engine)[0]
    assert (first.action, first.detail["client"]) == ("client", "ward-system")
    assert first.user.startswith("operator:")
    assert secret not in str(first)


def test_what_is_wrong_is_one_line(shop: Shop, database_url: str) -> None:
    told = run(*ADD[:4], "XXX", *ADD[5:], CARELINK_DATABASE_URL=database_url)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr == "carelink: --organisation: the place has no organisation XXX\n"


WRONG = [
    ({"name": "Ward System"}, "NAME"),
    ({"name": "ward:system"}, "NAME"),
    ({"organisation": "XXX"}, "--organisation"),
    ({"role": "surgeon"}, "--role"),
    ({"scopes": "system/Patient.duc"}, "--scopes"),
    ({"scopes": " "}, "--scopes"),
    ({"scopes": "system/Patiant.rs"}, "--scopes"),
    ({"scopes": "system/Extension.rs"}, "--scopes"),
    ({"scopes": "system/Observation.rs?value-quantity=5"}, "--scopes"),
    ({"secret": "short"}, "--secret"),
]


@pytest.mark.parametrize(("changed", "place_"), WRONG)
def test_a_system_that_can_t_be_registered_is_refused_with_the_option_that_is_wrong(
    shop: Shop, engine: Engine, changed: dict[str, str], place_: str
) -> None:
    asked = {"name": "ward", "organisation": "RDV", "role": "nurse", "scopes": "system/*.rs", "secret": ""}
    with pytest.raises(Invalid) as wrong:
        commands.add_client(shop, **(asked | changed))
    assert wrong.value.place == place_
    assert trail(engine) == []


def test_an_organisation_that_the_database_does_not_know_yet_says_what_to_do(engine: Engine, place: Place) -> None:
    with pytest.raises(NotFound, match="carelink db upgrade"):
        commands.add_client(Shop(engine, place, settings_for(place)), "ward", "RDV", "nurse", "system/*.rs", "")


def test_a_new_secret_ends_the_old_one(shop: Shop, engine: Engine, place: Place) -> None:
    asked = ("ward", "RDV", "nurse", "system/*.rs")
    old, new = (commands.add_client(shop, *asked, "")[1].removeprefix("secret: ") for _ in range(2))
    client = api(engine, place).test_client()
    assert token(client, "ward", new)
    gone = client.post(
        "/oauth2/token", data={"grant_type": "client_credentials", "client_id": "ward", "client_secret": old}
    )
    assert gone.status_code == 401


def test_the_demo_s_client_keeps_its_secret_and_works(shop: Shop, engine: Engine, place: Place, tmp_path: Path) -> None:
    for _ in range(2):
        with engine.begin() as conn:
            demo_client.register(conn, place, Folder(tmp_path))
    file = tmp_path / demo_client.SECRET_FILE
    assert file.stat().st_mode & 0o077 == 0
    assert token(api(engine, place).test_client(), demo_client.ID, file.read_text())


def test_the_line_that_the_demo_prints_is_one_that_a_shell_understands(tmp_path: Path) -> None:
    """Against a curl that gives a token for the secret, and else says what it was asked."""
    folder = tmp_path / "the demo's folder"
    folder.mkdir()
    (folder / demo_client.SECRET_FILE).write_text("s3cret")
    curl = tmp_path / "curl"
    curl.write_text(
        """#!/bin/sh
case "$*" in
  *"-u ward-system:s3cret "*/oauth2/token) echo '{"access_token":"a.b-c_d","expires_in":300}' ;;
  *) printf '%s\\n' "$@" ;;
esac
"""
    )
    curl.chmod(0o755)
    line = demo_client.line(folder, "http://127.0.0.1:8000")
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    told = subprocess.run(["sh", "-c", line], env=environ, capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == [
        "-s",
        "-H",
        "Authorization: Bearer a.b-c_d",
        "-d",
        f"identifier=https://fhir.nhs.uk/Id/nhs-number|{demo_client.ON_THE_WARD.nhs_number}",
        "http://127.0.0.1:8000/fhir/R4/Patient/_search",
    ]
