"""Small extracts of the clinic: rows by hand, or made from a number, with faults or without."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

import pandas as pd

import aspen_etl as ae

__all__ = ["COLUMNS", "extract", "made", "shuffled"]

#: The columns of each sheet, as the model of the clinic implies them.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "patients": ("patient_no", "name", "born", "active", "insurer_code", "insurer_name"),
    "visits": (
        *("visit_no", "patient_no", "clinic_code", "clinic_name", "clinic_city"),
        *("doctor_no", "doctor_name", "visited", "fee"),
    ),
    "tests": ("visit_no", "test_code", "test_name", "value"),
}

Cell = Optional[str]
Rows = Iterable[Sequence[Cell]]


def extract(patients: Rows = (), visits: Rows = (), tests: Rows = ()) -> ae.Extract:
    """Make an extract of rows, each cell by its place."""
    given = {"patients": patients, "visits": visits, "tests": tests}
    return ae.Extract.from_frames({name: _frame(name, rows) for name, rows in given.items()})


def _frame(sheet: str, rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(list(map(list, rows)), columns=list(COLUMNS[sheet]), dtype=object)


def shuffled(given: ae.Extract, seed: int) -> ae.Extract:
    """Give the same rows in another order."""
    frames: dict[str, pd.DataFrame] = {name: given[name] for name in COLUMNS}
    return ae.Extract.from_frames(
        {
            name: frame.sample(frac=1, random_state=seed + place).reset_index(drop=True)
            for place, (name, frame) in enumerate(frames.items())
        }
    )


def made(seed: int, *, visits: int = 12, faults: float = 0.1) -> ae.Extract:
    """Make an extract of a number: the same one each time.

    Args:
        seed: The number.
        visits: How many visits there are; of patients and results there are as many as fit.
        faults: How often a cell is another one: missing, of another entity, or of no form.
            With 0 no cell is wrong and entities agree, so that nothing is rejected.
    """
    some = random.Random(seed)  # noqa: S311 - no secret
    rows = _Rows(some, visits)
    sheets = {"patients": rows.patients, "visits": rows.visits, "tests": rows.tests}
    return extract(
        **{
            name: [[_spoiled(some, cell, faults) for cell in row] for row in found]
            for name, found in sheets.items()
        }
    )


#: What a cell may be by mistake: a word of another form, or white space around it.
_WRONG = ("?", "2021-02-29", "1.0000001", "1e3", " P1 ", "C1", "D1", "T1", "Acme", "maybe")


def _spoiled(some: random.Random, cell: Cell, faults: float) -> Cell:
    if some.random() >= faults:
        return cell
    return some.choice((None, None, *_WRONG))


class _Rows:
    """Hold rows in which nothing is wrong."""

    def __init__(self, some: random.Random, count: int) -> None:
        self.some = some
        people = max(1, count // 3)
        self.patients = [self._patient(number) for number in range(people)]
        self.visits = [self._visit(number, people) for number in range(count)]
        self.tests = [
            [f"V{visit}", f"T{test}", self._named("Test", test), self._number(6)]
            for visit in range(count)
            for test in some.sample(range(4), some.randrange(3))
        ]

    def _patient(self, number: int) -> list[Cell]:
        some = self.some
        code = some.choice((None, 1, 2, 3))
        born = f"{some.randint(1, 12):02d}/{some.randint(1, 28):02d}/{some.randint(1920, 2020)}"
        return [
            *(f"P{number}", f"Ann {number}", some.choice((None, born)), some.choice("YN")),
            *((None, None) if code is None else (f"I{code}", self._named("Insurer", code))),
        ]

    def _visit(self, number: int, people: int) -> list[Cell]:
        some = self.some
        clinic, doctor = some.randint(1, 3), some.choice((None, 1, 2, 3, 4))
        day = f"{some.randint(2019, 2024)}-{some.randint(1, 12):02d}-{some.randint(1, 28):02d}"
        return [
            *(f"V{number}", f"P{some.randrange(people)}"),
            *(f"C{clinic}", self._named("Clinic", clinic), some.choice((None, f"City {clinic}"))),
            *((None, None) if doctor is None else (f"D{doctor}", self._named("Doctor", doctor))),
            *(day, self._number(2)),
        ]

    def _named(self, what: str, number: int) -> Cell:
        return self.some.choice((None, f"{what} {number}", f"{what} {number}"))

    def _number(self, scale: int) -> str:
        some = self.some
        text = str(some.randint(-99999, 99999))
        return some.choice((text, f"{text}.{some.randrange(10**scale):0{scale}d}"))
