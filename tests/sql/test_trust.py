"""What a database tells of its own rules: keys that it gives next, constraints that hold or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import DatabaseError
from tests.support.borrowers import RUN
from tests.transform.sheets import ADA, BO, extract

sa = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

from aspen_etl.derive.sql import sql_metadata  # noqa: E402 - needs what was just asked for
from aspen_etl.sql import TableDatabase, load  # noqa: E402 - needs what was just asked for


@pytest.fixture
def tables(database: Any) -> Any:
    made = ae.normalize(extract(ADA, BO, roles=(("a", "Lender"),)), run=RUN)
    load(made.tables, database.engine)
    return TableDatabase(database.engine)


def test_loaded_tables_stand_as_they_should(tables: Any) -> None:
    found = tables.standing()
    assert (found.low_keys, found.unnumbered, found.missing) == ((), (), ())
    assert (found.untrusted, found.switched_off) == ((), ())
    assert found.constraints > 10


#: What somebody did to a database, and what is told of it, by dialect; none where it cannot be.
HARM: dict[str, dict[str, tuple[str, ...]]] = {
    "unchecked": {
        "postgresql": (
            "ALTER TABLE phone_number DROP CONSTRAINT fk_phone_number_role_profile_id",
            (
                "ALTER TABLE phone_number ADD CONSTRAINT fk_phone_number_role_profile_id "
                "FOREIGN KEY (role_profile_id) REFERENCES role_profile NOT VALID"
            ),
        ),
        "sqlite": (
            (
                "INSERT INTO phone_number "
                "(role_profile_id, phone_number_type_id, value, created, created_by) "
                "VALUES (987654321, 1, 'y', '2026-01-01', 'me')"
            ),
        ),
    },
    "silenced": {"postgresql": ("ALTER TABLE phone_number DISABLE TRIGGER ALL",)},
    "dropped": {
        "postgresql": ("ALTER TABLE phone_number DROP CONSTRAINT fk_phone_number_role_profile_id",),
        "mysql": ("ALTER TABLE phone_number DROP FOREIGN KEY fk_phone_number_role_profile_id",),
    },
    "unruled": {
        "postgresql": (
            "ALTER TABLE phone_number DROP CONSTRAINT ck_phone_number_updated_by_present",
        ),
        "mysql": ("ALTER TABLE phone_number DROP CONSTRAINT ck_phone_number_updated_by_present",),
    },
    "set back": {
        "postgresql": ("ALTER TABLE phone_number ALTER phone_number_id RESTART WITH 7",),
        "sqlite": ("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'phone_number'",),
    },
    "unnumbered": {
        "postgresql": ("ALTER TABLE phone_number ALTER phone_number_id DROP IDENTITY",),
        "mysql": ("ALTER TABLE phone_number MODIFY phone_number_id BIGINT NOT NULL",),
    },
}
TOLD: dict[str, Callable[[Any], Any]] = {
    "unchecked": lambda found: (
        {each.partition(".")[0] for each in found.untrusted} == {"phone_number"}
    ),
    "silenced": lambda found: "phone_number.fk_phone_number_role_profile_id" in found.untrusted,
    "dropped": lambda found: found.missing == ("phone_number.fk_phone_number_role_profile_id",),
    "unruled": lambda found: found.missing == ("phone_number.ck_phone_number_updated_by_present",),
    "set back": lambda found: found.low_keys == ("phone_number",),
    "unnumbered": lambda found: found.unnumbered == ("phone_number",),
}


@pytest.mark.parametrize("harm", HARM)
def test_what_was_done_to_them_is_told(tables: Any, database: Any, harm: str) -> None:
    statements = HARM[harm].get(database.engine.dialect.name.replace("mariadb", "mysql"))
    if statements is None:
        pytest.skip("this database does not let it be done, or does not tell")
    with database.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    assert TOLD[harm](tables.standing()), tables.standing()


def test_a_key_above_all_that_is_given_is_told(tables: Any, database: Any) -> None:
    with database.engine.begin() as connection:
        odd = {"role_profile_type_id": 2**41, "type": "Odd", "created_by": "me"}
        table = sql_metadata(ae.BORROWER_MODEL).tables["role_profile_type"]
        connection.execute(table.insert().values(created=RUN.time.replace(tzinfo=None), **odd))
    low = tables.standing().low_keys
    # PostgreSQL alone does not move its sequence past a key that is given by hand.
    assert low == (("role_profile_type",) if database.name.startswith("postgresql") else ())


def test_tables_that_are_not_there_are_an_error(database: Any) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE aside (x integer)")
    with pytest.raises(DatabaseError):
        TableDatabase(database.engine).standing()
