"""Who was purged and suppressed does not come back, from whatever source, until he is let back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

import aspen_etl as ae
from aspen_etl.errors import ArgumentError, VersionNotFoundError
from aspen_etl.store.landed import load_sources
from tests.normalization.test_history import CY
from tests.store.test_purge import told
from tests.support.borrowers import LENIENT
from tests.synchronization.test_landing import LATER, Folder, change
from tests.transform.sheets import ADA, BO, extract

SECRET, OTHER = b"a secret of many bytes", b"another secret, as long"
ROLES = (("a", "Borrower"), ("c", "Borrower"))


def run(day: int) -> ae.Run:
    return ae.Run(time=LATER + dt.timedelta(days=day), actor="me")


@pytest.fixture
def store(tmp_path: Path) -> ae.SnapshotStore:
    return ae.SnapshotStore(tmp_path / "store", rejects_url=tmp_path / "rejects")


def go(source: Any, store: ae.SnapshotStore, day: int, **options: Any) -> ae.SyncReport:
    return ae.sync(source, store, run=run(day), thresholds=LENIENT, **options)


def ids(store: ae.SnapshotStore) -> list[str]:
    return list(store.read().tables["user_profile"]["user_profile_id"])


def purge(store: ae.SnapshotStore, who: str, day: int, secret: bytes = SECRET) -> None:
    store.purge(who, run=run(day), suppress=True, suppress_secret=secret)


@pytest.mark.parametrize("parts", [None, ae.Parts(subjects=1)], ids=["whole", "parts"])
def test_rows_of_a_suppressed_subject_are_left_out(store: ae.SnapshotStore, parts: Any) -> None:
    given = extract(ADA, BO, {**CY, "id": " c "}, roles=ROLES)
    go(given, store, 1, parts=parts)
    purge(store, "c", 2)
    report = go(given, store, 3, parts=parts, suppress_secret=SECRET)
    assert (ids(store), report.suppressed) == (["a", "b"], {"borrower": 1, "role_profile": 1})
    assert report.sources["borrower"].rows == 2
    assert report.way is not None
    assert report.way.kind == "whole"
    assert told(store, "Cy") == []
    assert json.loads(report.to_json())["suppressed"] == {"borrower": 1, "role_profile": 1}
    assert go(given, store, 4, parts=parts, suppress_secret=SECRET).outcome == "unchanged"


def test_without_the_secret_nothing_runs(store: ae.SnapshotStore) -> None:
    go(extract(ADA, CY), store, 1)
    purge(store, "c", 2)
    for told_secret, what in ((None, "was not given"), (OTHER, "another secret")):
        with pytest.raises(ArgumentError, match=what) as caught:
            go(extract(ADA, CY), store, 3, suppress_secret=told_secret)
        assert caught.value.details["problem"] == "secret"
        assert (caught.value.details["count"], store.find().version) == (1, 2)
    with pytest.raises(ArgumentError, match="another secret"):
        purge(store, "a", 3, OTHER)
    with pytest.raises(ArgumentError, match="at least 16 bytes"):
        purge(store, "a", 3, b"short")
    assert store.read() is not None


def test_nobody_can_tell_of_whom_a_digest_is(store: ae.SnapshotStore, tmp_path: Path) -> None:
    other = ae.SnapshotStore(tmp_path / "other")
    found = []
    for each in (store, other):
        go(extract(ADA, CY), each, 1)
        purge(each, "c", 2)
        held = each.find().suppressed
        assert held is not None
        found.append(held.subjects)
    assert found[0] != found[1]
    assert [len(digest) for digests in found for digest in digests] == [64, 64]


def test_he_is_read_again_when_he_is_let_back(store: ae.SnapshotStore) -> None:
    given = extract(ADA, CY)
    go(given, store, 1)
    purge(store, "c", 2)
    purge(store, "a", 3)
    assert store.unsuppress("nobody", run=run(4), suppress_secret=SECRET).version == 3
    commit = store.unsuppress("c", run=run(4), suppress_secret=SECRET)
    assert (commit.version, commit.kind) == (4, "unsuppress")
    assert go(given, store, 5, suppress_secret=SECRET).suppressed == {"borrower": 1}
    assert ids(store) == ["c"]
    assert store.unsuppress("a", run=run(6), suppress_secret=SECRET).suppressed is None
    assert go(given, store, 7).tables["user_profile"].inserted == 1
    assert store.verify().problems == ()


def test_who_is_not_there_can_be_suppressed(store: ae.SnapshotStore) -> None:
    go(extract(ADA), store, 1)
    purge(store, "c", 2)
    assert go(extract(ADA, CY), store, 3, suppress_secret=SECRET).suppressed == {"borrower": 1}
    with pytest.raises(VersionNotFoundError):
        purge(ae.SnapshotStore("memory://suppress-nothing"), "c", 1)


# ------------------------------------------------------------------------------ a landing folder


def test_landed_changes_of_a_suppressed_subject_are_dropped(
    folder: Folder, store: ae.SnapshotStore
) -> None:
    go(folder.landing, store, 1)
    purge(store, "qq7", 2)
    folder.put(change(5), ("U", "qq7", "Iva Crane", 5, "qq7"), ("U", "qq8", "Iva Tern", 6, "qq8"))
    report = go(folder.landing, store, 3, suppress_secret=SECRET)
    assert report.suppressed == {"borrower": 1}
    assert report.landing is not None
    assert (report.landing.changed, report.landing.findings) == ({"borrower": 1}, {})
    assert report.tables["user_profile"].updated == 1
    folder.put(change(9), ("D", "qq7", None, 9), ("I", "qq7", "Iva Crane", 10))
    moved = go(folder.landing, store, 4, suppress_secret=SECRET)  # the ledger, after an hour
    assert moved.tables["user_profile"].deleted == 0
    folder.put(change(12), ("U", "qq8", "Iva Coot", 12, "qq8"))
    again = go(folder.landing, store, 5, suppress_secret=SECRET)
    assert again.suppressed == {}
    assert again.way is not None
    assert again.way.kind == "short"
    assert "qq7" not in ids(store)
    assert told(store, "Crane", "qq7,") == []
    newest = store.find()
    assert "qq7" not in set(load_sources(store.place, newest)["borrower"].cells["id"])
    with pytest.raises(ArgumentError, match="was not given"):
        go(folder.landing, store, 6)
