"""A landing is checked when it is made, and travels as JSON, TOML and pickle."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aspen_etl import BORROWER_MODEL
from aspen_etl.errors import ArgumentError, NotSupportedError
from aspen_etl.schema.landing import LandedTable, Landing

UTC = dt.timezone.utc
SINCE = dt.datetime(2026, 11, 20, 12, tzinfo=UTC)
BORROWER = LandedTable("dbo.borrower")
ROLES = LandedTable("dbo.role_profile", key=("rp_id",))
TABLES = {"borrower": BORROWER, "role_profile": ROLES}


def landing(**more: Any) -> Landing:
    return Landing(**{"url": "s3://raw/dms", "tables": TABLES, **more})


HEADED: dict[str, Any] = {
    "headers": ("id", "name"),
    "columns_since": {SINCE: ("id", "name", "city")},
}

TABLES_OF_ALL_KINDS = st.builds(
    lambda name, key, more, fold: LandedTable(f"dbo.{name}", key=(key,), fold=fold, **more),
    st.sampled_from(["borrower", "Role Profile", "t_1"]),
    st.just("id"),
    st.sampled_from([{}, {"headers": ("id", "a")}, HEADED, {"columns": {"Nr": "number"}}]),
    st.sampled_from([None, "case", "space", "both"]),
)
LANDINGS = st.builds(
    Landing,
    url=st.sampled_from(["s3://raw/dms/", "memory://x", "/data/landing"]),
    tables=st.fixed_dictionaries({"borrower": TABLES_OF_ALL_KINDS}),
    order=st.sampled_from(["sequence", "time"]),
    format=st.sampled_from(["csv", "parquet"]),
    partitions=st.sampled_from([None, "YYYYMMDDHH"]),
    lag=st.timedeltas(dt.timedelta(0), dt.timedelta(days=1)),
    loaded=st.sampled_from([None, "declared", {"borrower": 7}]),
    epoch=st.integers(1, 9),
)


@given(LANDINGS)
def test_it_travels_as_json_and_as_pickle(made: Landing) -> None:
    assert Landing.from_json(json.dumps(made.to_dict())) == made
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - made here


def test_only_what_is_said_stands_in_the_file() -> None:
    assert landing().to_dict() == {
        "url": "s3://raw/dms",
        "tables": {
            "borrower": {"name": "dbo.borrower"},
            "role_profile": {"name": "dbo.role_profile", "key": ["rp_id"]},
        },
    }


@pytest.mark.skipif(sys.version_info < (3, 11), reason="TOML is read from Python 3.11 on")
def test_toml_says_the_same() -> None:
    text = 'url = "s3://raw/dms"\nlag = 60\n[tables.borrower]\nname = "dbo.borrower"\n'
    made = Landing.from_toml(text)
    assert made.lag == dt.timedelta(minutes=1)
    assert made.tables == {"borrower": BORROWER}
    with pytest.raises(ArgumentError, match="no TOML"):
        Landing.from_toml("url = ")


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="this Python reads TOML")
def test_an_old_python_says_that_it_reads_no_toml() -> None:
    with pytest.raises(NotSupportedError, match="JSON"):
        Landing.from_toml("")


def test_headers_follow_the_moment() -> None:
    table = LandedTable("dbo.borrower", **HEADED)
    assert table.headers_at(SINCE - dt.timedelta(seconds=1)) == ("id", "name")
    assert table.headers_at(SINCE) == ("id", "name", "city")
    assert BORROWER.headers_at(SINCE) is None


def test_a_table_is_found_by_its_name() -> None:
    assert landing().source_of("dbo.role_profile") == "role_profile"
    with pytest.raises(ArgumentError, match=r"did you mean 'dbo\.borrower'"):
        landing().source_of("dbo.borower")


WRONG_TABLES: list[tuple[dict[str, Any], str]] = [
    ({"name": "borrower"}, "names no table"),
    ({"name": "dbo.bor%"}, "names no table"),
    ({"name": 1}, "names no table"),
    ({"key": ()}, "no key"),
    ({"key": "id"}, "no list"),
    ({"key": ("id", "id")}, "twice"),
    ({"key": ("id", "")}, "1 of 2 are no names"),
    ({"ignore": ("id",)}, "is ignored, and is of the key"),
    ({"columns": {"a": "x", "b": "x"}}, "twice"),
    ({"columns": ["a"]}, "no mapping"),
    ({"columns_since": [SINCE]}, "no mapping"),
    ({"fold": "spaces"}, "did you mean 'space'"),
    ({"headers": ("a", "b")}, "lacks 'id' of the key"),
    ({"headers": ("id", "name"), "columns": {"nam": "x"}}, "did you mean 'name'"),
    ({"columns_since": {SINCE: ("id",)}}, "needs headers"),
    ({"headers": ("id",), "columns_since": {SINCE.replace(tzinfo=None): ("id",)}}, "zone"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG_TABLES)
def test_a_wrong_table_is_refused_by_name(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told) as caught:
        LandedTable(**{"name": "dbo.borrower", **wrong})
    assert caught.value.details["problem"] == "landing"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"url": " "}, "url is empty"),
    ({"tables": {}}, "tables is empty"),
    ({"tables": {"borrower": "dbo.borrower"}}, "holds str"),
    ({"tables": {"a": BORROWER, "b": BORROWER}}, "feeds two sources"),
    ({"tables": {"a": LandedTable("a.b", key=("dms_seq",))}}, "which DMS adds"),
    ({"tables": {"a": LandedTable("a.b", headers=("id", "BI_id"))}}, "which DMS adds"),
    ({"order": "sequences"}, "did you mean 'sequence'"),
    ({"sequence": "Op"}, "three columns"),
    ({"before": " "}, "before is no name"),
    ({"null": 'a"b'}, "null must be"),
    ({"null": "X", "not_logged": "X"}, "the same token"),
    ({"lag": 5}, "lag is no span"),
    ({"lag": dt.timedelta(days=8)}, "shorter than lag"),
    ({"epoch": 0}, "epoch"),
    ({"lob_max_kb": 0}, "lob_max_kb"),
    ({"heartbeat": "dbo.borrower"}, "heartbeat"),
    ({"heartbeat": "beat"}, "heartbeat"),
    ({"loaded": {"borrower": 1}}, "other sources"),
    ({"loaded": {"borrower": 1, "role_profile": -1}}, "rows of role_profile"),
    ({"loaded": 5}, "neither"),
    ({"transactions": "../x y"}, "no folder"),
    ({"compression": "gzip", "format": "parquet"}, "no compression"),
    ({"order": "transactions"}, "give headers of 'dbo.borrower', 'dbo.role_profile'"),
    ({"order": "transactions", "partitions": "YYYYMM"}, "no dated folders"),
    ({"order": "transactions", "format": "parquet"}, "never parquet"),
]


@pytest.mark.parametrize(("wrong", "told"), WRONG)
def test_a_wrong_landing_is_refused_by_name(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ArgumentError, match=told) as caught:
        landing(**wrong)
    assert caught.value.details["problem"] == "landing"


WRONG_FILES = [
    ("{", "no JSON"),
    ("[]", "no object"),
    ('{"url": "x"}', "lacks 'tables'"),
    ('{"url": "x", "tabels": {}}', "did you mean 'tables'"),
    ('{"url": "x", "tables": []}', "no object"),
    ('{"url": "x", "tables": {"a": "dbo.b"}}', "the table of a is no object"),
    ('{"url": "x", "tables": {"a": {"name": "d.b", "key": "id"}}}', "no list"),
    ('{"url": "x", "tables": {"a": {"name": "d.b"}}, "lag": "3m"}', "number of seconds"),
    ('{"url": "x", "tables": {"a": {"name": "d.b"}}, "lag": 1e300}', "longer than"),
    ('{"url": "x", "tables": {"a": {"name": "d.b", "columns_since": {"May": []}}}}', "moments"),
    ('{"url": "x", "tables": {"a": {"name": "d.b", "columns_since": []}}}', "no object"),
]


@pytest.mark.parametrize(("text", "told"), WRONG_FILES)
def test_a_wrong_file_is_refused_without_its_text(text: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        Landing.from_json(text)


def test_it_must_feed_the_sources_of_the_model() -> None:
    landing().check(BORROWER_MODEL)
    wrong = [
        ({"borrower": BORROWER}, "no table feeds 'role_profile'"),
        ({**TABLES, "borowers": LandedTable("a.b")}, "did you mean 'borrower'"),
        (
            {**TABLES, "borrower": LandedTable("a.b", columns={"x": "full_nam"})},
            "did you mean 'full_name'",
        ),
        ({**TABLES, "borrower": LandedTable("a.b", ignore=("street",))}, "the model has it"),
    ]
    for tables, told in wrong:
        with pytest.raises(ArgumentError, match=told):
            landing(tables=tables).check(BORROWER_MODEL)
