"""The package of two sides under the real runtime client: PostgreSQL, MariaDB, a secret of AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

import aspen_etl as ae
from tests.aws.test_lambda_package import (  # noqa: F401 - fixtures
    CHECKOUT,
    HERE,
    LIMIT,
    build,
    client,
    python,
)
from tests.aws.test_sides_handler import begin, servers  # noqa: F401 - a fixture
from tests.sql.conftest import (  # noqa: F401 - fixtures
    mariadb_server,
    postgresql_server,
)
from tests.support.lender import make_lender
from tests.support.runtime_api import running
from tests.support.s3 import moto, new_client

pytestmark = pytest.mark.slow

PASSWORD = "pa55word"  # noqa: S105 - nobody's: the server trusts


def test_a_round_and_a_proof_under_the_runtime_client(
    python: str,  # noqa: F811 - the fixture
    client: Path,  # noqa: F811 - the fixture
    servers: Any,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    if not (CHECKOUT / "pyproject.toml").is_file():
        pytest.skip("the sources are not here, so no wheel can be built of them")
    package = tmp_path / "package"
    words = ["--flavour", "sides", "--architecture", HERE, "--no-zip", "--folder", package]
    done = build(python, *words)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert sum(each.stat().st_size for each in package.rglob("*") if each.is_file()) < LIMIT
    text = (CHECKOUT / "docs/deploy/constraints/lambda-3.13-sides.txt").read_text("utf-8")
    pinned = {line.replace("-", "_") for line in text.splitlines() if re.match(r"[a-z].*==", line)}
    held = {
        "==".join(path.name[: -len(".dist-info")].rsplit("-", 1))
        for path in package.glob("*.dist-info")
    }
    assert {name for name in held if not name.startswith("aspen_etl==")} == pinned
    old, new = servers
    make_lender(old)
    store = ae.SnapshotStore(str(tmp_path / "store"))
    begin(store, old)
    with moto() as aws:
        login = {"username": old.engine.url.username, "password": PASSWORD}
        told = {"Name": "lender/old", "SecretString": json.dumps(login)}
        secret = new_client(aws, "secretsmanager").create_secret(**told)["ARN"]
        key, word = aws.owner
        environment = {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": word,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.endpoint,
            "ASPEN_ETL_STORE": str(tmp_path / "store"),
            "ASPEN_ETL_OLD": str(old.engine.url.set(username=None)),
            "ASPEN_ETL_OLD_SECRET": secret,
            "ASPEN_ETL_NEW": new.url,
            "ASPEN_ETL_POLICY": "hold",
            "ASPEN_ETL_MAX_REJECTED_CELLS": "1",
            "ASPEN_ETL_MAX_REJECTED_ROWS": "1",
        }
        with running(
            "aspen_etl.aws.sides_handler.handler",
            python=Path(python),
            client=client,
            package=package,
            environment=environment,
            log=tmp_path / "log",
        ) as function:
            first = function.invoke({"work": "pull push"})
            assert first.kind == "response", first.body
            new.execute("UPDATE user_profile SET last_name = 'Roe' WHERE user_profile_id = 'b3'")
            second = function.invoke({"work": "pull push reconcile"})
            assert second.kind == "response", second.body
            refused = function.invoke({"work": "dance"})
            print(f"start {function.init_seconds:.1f} s, round {first.seconds:.1f} s,")
            print(f"with a proof {second.seconds:.1f} s, {function.peak_megabytes():.0f} MB")
            lines = function.lines()
    assert [each["outcome"] for each in first.body["work"]] == [
        *("unchanged", "overtaken", "unchanged", "pushed"),
    ]
    assert second.body["work"][-1]["outcome"] == "in_step"
    assert old.scalar("SELECT full_name FROM borrower WHERE id = 'b3'") == "Cid Roe"
    assert (refused.kind, refused.body["errorType"]) == ("error", "SettingsError")
    assert [line["Proofs"] for line in lines if "Proofs" in line] == [1]
    printed = (tmp_path / "log").read_text("utf-8")
    assert PASSWORD not in printed
    assert "Roe" not in printed
