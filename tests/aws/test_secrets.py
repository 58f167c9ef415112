"""A login out of Secrets Manager, in each of its forms, and of which nothing is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aspen_etl.aws.secrets import Login, read_login
from aspen_etl.errors import SettingsError
from tests.support.borrowers import check_ours

botocore = pytest.importorskip("botocore.session", reason="the extra s3 is not installed")

from botocore.stub import Stubber  # noqa: E402 - needs what was just asked for

SECRET = "pa55word"  # noqa: S105 - nobody's


def client(**answer: Any) -> Any:
    """Give a client that answers once, or refuses."""
    made = botocore.get_session().create_client(
        "secretsmanager",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 - nobody's
    )
    stub = Stubber(made)
    if "code" in answer:
        stub.add_client_error("get_secret_value", answer["code"], f"{SECRET} of joe")
    else:
        stub.add_response("get_secret_value", answer, {"SecretId": "lender"})
    stub.activate()
    return made


@pytest.mark.parametrize(
    ("text", "login"),
    [
        (json.dumps({"username": "joe", "password": SECRET, "port": 5432}), Login("joe", SECRET)),
        (json.dumps({"password": SECRET}), Login(None, SECRET)),
        (f"{SECRET}\n", Login(None, SECRET)),
    ],
)
def test_a_login_is_read_in_each_form(text: str, login: Login) -> None:
    found = read_login("lender", client=client(SecretString=text))
    assert found == login
    assert SECRET not in repr(found)


@pytest.mark.parametrize("text", [" ", "{}", '{"password": 7}', '{"password": ""}'])
def test_a_secret_without_a_password_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--database-secret holds no password") as found:
        read_login("lender", client=client(SecretString=text))
    check_ours(found.value, "lender")


def test_a_refusal_is_told_by_its_code_alone() -> None:
    told = r"--database-secret cannot be read \(Secrets Manager says AccessDeniedException\)"
    with pytest.raises(SettingsError, match=told) as found:
        read_login("lender", client=client(code="AccessDeniedException"))
    check_ours(found.value, SECRET, "joe")
