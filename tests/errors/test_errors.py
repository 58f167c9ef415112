"""Errors: their classes and problems, the names of release 0.2, and no foreign text in them."""

from __future__ import annotations

import gc
import pickle
import traceback
import weakref
from typing import Any, Optional

import pytest

from aspen_etl import errors
from aspen_etl.errors.base import ArgumentError, AspenETLError, instead


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_travels_whole(name: str) -> None:
    error = getattr(errors, name)("text", url="a", problem="b", found=("c",))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert type(again) is type(error)
    assert (str(again), again.details) == ("text", {"url": "a", "problem": "b", "found": ("c",)})


# ----------------------------------------------------------------------------------- texts


PLACES = {
    "holds_rejects_of_another": "{p} holds the rejects of another store than {u}, so nothing was "
    "done there; give each store a rejects_url= (--rejects-url) of its own",
    "of_another": "the rejects of {u} cannot go to {p}, which is the folder of another store; give "
    "a rejects_url= (--rejects-url) outside of other stores",
    "in_another": "the rejects of {u} cannot go to {p}, which lies in the store {s}; give a "
    "rejects_url= (--rejects-url) outside of other stores",
    "shared": "{p} holds rejects of {u} and others; give each store a rejects_url= (--rejects-url) "
    "of its own, as vacuum tells",
    "root_among_rejects": "{u} is where another store has its rejects; choose another folder for "
    "this store",
    "root_in_another": "{u} cannot be a store: {p} is one, and each would take files of the other "
    "for its own; choose a folder that lies in no other store",
    "root_reserved": "{u} cannot be a store: folders called _aspen are for what a store knows of "
    "itself; choose another folder",
}


@pytest.mark.parametrize("problem", PLACES)
def test_a_place_of_another_store_is_told_in_a_sentence(problem: str) -> None:
    # A url may hold what a format would take for a field.
    url, place, store = "s3://{url}/a", "s3://b/{0}", "s3://{store}"
    error = errors.RejectsPlaceError.of(problem, url, place, store=store)
    assert str(error) == PLACES[problem].format(u=url, p=place, s=store)
    assert error.details == {"problem": problem, "url": url, "place": place, "store": store}


def test_a_run_that_gave_up_says_when_and_where() -> None:
    error = errors.DeadlineError.after(1.26, 2, "writing")
    told = "gave up after 1.3 s of 2.0 s, {}; nothing was committed: {}"
    assert str(error) == told.format("before writing", "give the run more time")
    assert error.details == {"seconds": 1.26, "limit": 2, "step": "writing"}
    error = errors.DeadlineError.waiting("s3://a", 1.26, 2)
    cure = "see whether it answers, or give the run more time"
    assert str(error) == told.format("waiting for s3://a", cure)
    assert error.details == {"seconds": 1.26, "limit": 2, "url": "s3://a"}


def test_a_missing_package_comes_with_its_command() -> None:
    of_ours = errors.MissingDependencyError.for_extra("s3fs", "s3", "reading s3://a")
    of_others = errors.MissingDependencyError.for_package("gcsfs", "reading gs://a")
    told = "{0} needs the package {1}, which is not installed; run: pip install {2}"
    assert str(of_ours) == told.format("reading s3://a", "s3fs", "'aspen-etl[s3]'")
    assert of_ours.details == {"package": "s3fs", "extra": "s3"}
    assert str(of_others) == told.format("reading gs://a", "gcsfs", "gcsfs")
    assert of_others.details == {"package": "gcsfs"}


# ----------------------------------------------------------------------------------- instead


def fail() -> Any:
    """Fail as a driver does: with what no log may hold, and with a context that holds it too."""
    try:
        int("canary")
    except ValueError as error:
        raise KeyError("canary") from error


def ours(error: Exception) -> AspenETLError:
    return ArgumentError(f"it is {type(error).__name__}", problem="name")


def test_an_error_of_ours_has_nothing_of_the_foreign_one() -> None:
    with pytest.raises(ArgumentError, match="it is KeyError") as caught:
        instead(fail, (KeyError, OSError), ours)
    assert (caught.value.__context__, caught.value.__cause__) == (None, None)
    assert "canary" not in "".join(traceback.format_exception(caught.type, caught.value, None))
    _, *frames = traceback.walk_tb(caught.value.__traceback__)
    assert "canary" not in str([frame.f_locals for frame, _ in frames])


def test_what_the_making_raises_has_nothing_of_it_either() -> None:
    def look(error: Exception) -> AspenETLError:
        raise ours(error)

    with pytest.raises(ArgumentError) as caught:
        instead(fail, KeyError, look)
    assert caught.value.__context__ is None


def test_an_error_that_is_let_through_is_the_same_one() -> None:
    raised = KeyError("a")

    def step() -> Any:
        raise raised

    def none(_: Exception) -> Optional[AspenETLError]:
        return None

    with pytest.raises(KeyError) as caught:
        instead(step, KeyError, none)
    assert caught.value is raised
    assert (raised.__context__, raised.__cause__) == (None, None)
    with pytest.raises(KeyError) as caught:
        instead(step, OSError, ours)
    assert caught.value is raised


def test_a_result_is_handed_on() -> None:
    assert instead(lambda: 7, ValueError, ours) == 7


def test_what_failed_is_free_at_once() -> None:
    # A run's frames are large: a circle of error, traceback and frame would keep them.
    class Large:
        pass

    def step(held: Large) -> Any:
        raise KeyError(str(id(held)))

    large = Large()
    alive = weakref.ref(large)
    gc.disable()
    try:
        with pytest.raises(ArgumentError):
            instead(lambda large=large: step(large), KeyError, ours)  # type: ignore[misc]
        del large
        assert alive() is None
    finally:
        gc.enable()
