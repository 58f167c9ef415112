"""What a service says is told as its own, and a fault of ours is not."""

from __future__ import annotations

import pytest

from aspen_etl.aws.clients import call, new_client
from aspen_etl.errors import CatalogError


def test_a_service_that_cannot_be_reached_is_named() -> None:
    def ask() -> None:
        raise ConnectionResetError

    with pytest.raises(CatalogError, match=r"catalogue db: listing failed \(ConnectionResetError"):
        call(ask, "db", "listing")


@pytest.mark.parametrize("error", [KeyError("Table"), TypeError("x"), ZeroDivisionError()])
def test_a_fault_of_ours_is_not_told_as_one_of_the_service(error: Exception) -> None:
    def ask() -> None:
        raise error

    with pytest.raises(type(error)) as found:
        call(ask, "db", "listing")
    assert found.value is error


def test_a_client_without_a_region_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("botocore")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "nowhere")
    new_client.cache_clear()
    with pytest.raises(CatalogError, match=r"making a client failed \(NoRegionError\)"):
        new_client("glue")
    new_client.cache_clear()
