"""`carelink clients add`: a system is registered by whoever runs the place, and its secret is told once."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from fhir_builders import api, settings_for, token, trail
from oauth_builders import Keyed, ec, public
from processes import run
from sqlalchemy import Engine, select

from carelink import client_commands, commands
from carelink.client_commands import Keys
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


def _keys_in(folder: Path, *keys: object) -> Path:
    file = folder / "keys.json"
    file.write_text(json.dumps(public(*keys)))
    return file


def test_a_system_with_keys_is_told_what_it_needs_and_no_secret(shop: Shop, database_url: str, tmp_path: Path) -> None:
    told = run(
        *ADD[:5], "--scopes", "system/*.cu", "--jwks", str(_keys_in(tmp_path, ec())), CARELINK_DATABASE_URL=database_url
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "secret" not in told.stdout
    for words in ("id: ward-system", "/oauth2/token", "/fhir/R4", "RS384 or ES384"):
        assert words in told.stdout
    listed = run("clients", "list", CARELINK_DATABASE_URL=database_url)
    assert listed.stdout == "ward-system: system of RDV, nurse; keys k1; system/*.cu\n"


def test_a_client_whose_keys_change_asks_by_the_new_ones_alone(
    shop: Shop, engine: Engine, place: Place, tmp_path: Path
) -> None:
    old = Keyed.registered(engine, place, "ward", "RDV", "nurse", "system/*.rs")
    new = old.with_key(ec("k2"))
    client_commands.rotate(shop, "ward", Keys(jwks=_keys_in(tmp_path, new.key)))
    browser = api(engine, place).test_client()
    assert [browser.post("/oauth2/token", data=one.asks()).status_code for one in (old, new)] == [401, 200]
    assert trail(engine)[0].detail == {"client": "ward", "change": "rotate"}


def test_a_client_that_was_ended_gets_no_token_and_its_token_is_over_in_five_minutes(
    shop: Shop, engine: Engine, place: Place
) -> None:
    ward = Keyed.registered(engine, place, "ward", "RDV", "nurse", "system/*.rs")
    browser = api(engine, place).test_client()
    told = browser.post("/oauth2/token", data=ward.asks()).get_json()
    assert told["expires_in"] <= 300
    assert "within five minutes" in client_commands.revoke(shop, "ward")
    assert browser.post("/oauth2/token", data=ward.asks()).status_code == 401
    assert client_commands.listed(shop)[0].endswith("; revoked")
    with pytest.raises(NotFound, match="carelink clients list"):
        client_commands.revoke(shop, "ward")


def test_where_it_is_more_than_development_a_client_is_registered_by_its_key_alone(shop: Shop, tmp_path: Path) -> None:
    safe = replace(shop, settings=replace(shop.settings, base_url="https://carelink.example"))
    asked = ("ward", "RDV", "nurse", "system/*.rs")
    with pytest.raises(Invalid, match="--secret: is for development"):
        client_commands.add(safe, *asked, Keys(), ())
    with pytest.raises(Invalid, match="--jwks-url: must start with https"):
        client_commands.add(safe, *asked, Keys(jwks_url="http://keys.example/jwks"), ())
    with pytest.raises(Invalid, match="--redirect"):
        client_commands.add(safe, "app", "RDV", "", "user/*.rs", Keys(public=True), ("http://app.example/back",))
    assert client_commands.add(safe, *asked, Keys(jwks=_keys_in(tmp_path, ec())), ())[0] == "id: ward"


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": [{"kty": "oct", "kid": "k", "k": "AA"}]}, "RSA or EC"),
        ({"keys": [{"kty": "EC"}]}, "kid"),
        ({"keys": [{"kty": "RSA", "kid": "k", "n": "!", "e": "AQAB"}]}, "can't be read"),
        ({"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB", "d": "AQAB"}]}, "private key"),
    ],
)
def test_a_file_that_holds_no_public_keys_is_refused(
    shop: Shop, tmp_path: Path, held: dict[str, object], words: str
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(held))
    with pytest.raises(Invalid, match=f"--jwks: .*{words}"):
        client_commands.add(shop, "ward", "RDV", "nurse", "system/*.rs", Keys(jwks=file), ())


def test_the_role_of_a_system_is_that_of_its_organisation_s_first_where_none_is_said(
    shop: Shop, engine: Engine
) -> None:
    client_commands.add(shop, "duty", "901", "", "system/*.rs", Keys(), ())
    assert trail(engine)[0].detail["role"] == next(
        one.role for one in shop.place.staff.values() if one.organisation == "901"
    )
