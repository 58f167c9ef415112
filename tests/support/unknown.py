"""Sheets that no model describes: made up, alike in form to data sets that many people know."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["UNKNOWN", "put_sheets"]

Sheets = dict[str, pd.DataFrame]


def _drawn(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def clinic() -> Sheets:
    """Patients with insurers; visits with clinics and doctors; tests of visits."""
    draw = _drawn(1)
    patients = pd.DataFrame({"Patient No": [f"P{n:03}" for n in range(200)]})
    patients["Name"] = [f"Name {n % 170}" for n in range(200)]
    born = [dt.date(1950, 1, 1) + dt.timedelta(int(n)) for n in draw.integers(0, 20_000, 200)]
    patients["Born"] = [f"{day:%m/%d/%Y}" if n % 10 else None for n, day in enumerate(born)]
    patients["Active"] = draw.choice(["Y", "N"], 200)
    insurers = draw.integers(0, 6, 200)
    held = draw.random(200) < 0.9
    patients["Insurer Code"] = [f"I{n}" if is_in else None for n, is_in in zip(insurers, held)]
    patients["Insurer Name"] = [f"Cover {n}" if is_in else None for n, is_in in zip(insurers, held)]

    visits = pd.DataFrame({"Visit No": [f"V{n:04}" for n in range(900)]})
    visits["Patient No"] = draw.choice(patients["Patient No"], 900)
    clinics, doctors = draw.integers(0, 9, 900), draw.integers(0, 20, 900)
    visits["Clinic Code"] = [f"C{n}" for n in clinics]
    visits["Clinic Name"] = [f"House {n}" for n in clinics]
    visits["Clinic City"] = [f"City {n % 4}" for n in clinics]
    visits["Doctor No"] = [f"D{n}" for n in doctors]
    visits["Doctor Name"] = [f"Doctor {n}" for n in doctors]
    days = draw.integers(0, 800, 900)
    visits["Visited"] = [str(dt.date(2023, 1, 1) + dt.timedelta(int(n))) for n in days]
    visits["Fee"] = [f"{n / 100:.2f}" for n in draw.integers(0, 90_000, 900)]

    rows = [(visit, test) for visit in visits["Visit No"][:500] for test in draw.permutation(8)[:2]]
    tests = pd.DataFrame({"Visit No": [visit for visit, _ in rows]})
    tests["Test Code"] = [f"T{test}" for _, test in rows]
    tests["Test Name"] = [f"Assay {test}" for _, test in rows]
    tests["Value"] = [f"{value:.5f}" for value in 0.00001 + 90 * draw.random(len(rows))]
    return {"Patients": patients, "Visits": visits, "Tests": tests}


def order_lines() -> Sheets:
    """Lines of orders, which say everything again of the order, its customer and the product."""
    draw = _drawn(2)
    customers, orders = draw.integers(0, 40, 300), np.repeat(np.arange(300), 3)
    products = np.concatenate([draw.permutation(25)[:3] for _ in range(300)])
    lines = pd.DataFrame({"order_no": [f"{n:05}" for n in 1000 + orders]})
    lines["line"] = np.tile([1, 2, 3], 300).astype(str)
    lines["ordered"] = [f"{n % 28 + 1}.{n % 12 + 1}.2024" for n in orders]
    lines["customer_no"] = [f"{n:04}" for n in customers[orders]]
    lines["customer_name"] = [f"Shop {n}" for n in customers[orders]]
    lines["sku"] = [f"S-{n}" for n in products]
    lines["product"] = [f"Thing {n}" for n in products]
    lines["amount"] = draw.integers(1, 9, 900).astype(str)
    lines["price"] = [f"${n / 100:,.2f}" for n in draw.integers(100, 900_000, 900)]
    return {"order_lines": lines}


def people() -> Sheets:
    """People with several phones, and the ZIP code that lost its zero."""
    draw = _drawn(3)
    out = pd.DataFrame({"id": [f"b{n}" for n in range(60)]})
    out["full_name"] = [f"Ada Lee {n % 50}" for n in range(60)]
    out["zip_code"] = draw.integers(1000, 99_999, 60).astype(str)
    for kind, share in (("home", 0.7), ("cell", 0.8)):
        held = draw.random(60) < share
        out[f"phone_{kind}"] = [
            f"617-555-{n:04}" if is_in else None for n, is_in in enumerate(held)
        ]
    out["joined"] = [f"2024-01-{n % 28 + 1:02} 08:{n % 60:02}:00" for n in range(60)]
    return {"people": out}


def flights() -> Sheets:
    """Flights and what they refer to; three columns together tell them apart."""
    draw = _drawn(4)
    airlines = pd.DataFrame({"carrier": ["AA", "B6", "UA"], "name": ["A Air", "B Air", "U Air"]})
    rows = [
        (hour, carrier, flight)
        for hour in range(60)
        for carrier in airlines["carrier"]
        for flight in draw.permutation(30)[:6]
    ]
    out = pd.DataFrame({"carrier": [carrier for _, carrier, _ in rows]})
    out["flight"] = [str(flight) for _, _, flight in rows]
    out["time_hour"] = [f"2013-01-{1 + h // 24:02}T{h % 24:02}:00:00Z" for h, _, _ in rows]
    out["dep_delay"] = ["NA" if n % 50 == 0 else str(n % 37 - 9) for n in range(len(rows))]
    return {"airlines": airlines, "flights": out}


def panel() -> Sheets:
    """Countries over years, as R writes them: a number for each row under no header."""
    draw = _drawn(5)
    rows = [(f"Country {n}", year) for n in range(40) for year in range(1952, 2008, 5)]
    out = pd.DataFrame({"": [str(n) for n in range(1, len(rows) + 1)]})
    out["country"] = [country for country, _ in rows]
    out["continent"] = [f"Part {int(country[8:]) % 5}" for country, _ in rows]
    out["year"] = [str(year) for _, year in rows]
    out["lifeExp"] = [f"{value:.3f}" for value in 30 + 50 * draw.random(len(rows))]
    return {"gapminder": out}


def prices() -> Sheets:
    """Shares by day, the day spelt in English."""
    draw = _drawn(6)
    days = [f"{day:%b} {day.day} {day.year}" for day in pd.date_range("2000-01-01", periods=60)]
    rows = [(share, day) for share in ("AAPL", "GOOG", "IBM") for day in days]
    out = pd.DataFrame({"symbol": [share for share, _ in rows], "date": [day for _, day in rows]})
    out["price"] = [f"{value:.2f}" for value in 10 + 90 * draw.random(len(rows))]
    return {"stocks": out}


#: Each by its name.
UNKNOWN: Mapping[str, Callable[[], Sheets]] = {
    make.__name__: make for make in (clinic, order_lines, people, flights, panel, prices)
}


def put_sheets(folder: Path, sheets: Sheets) -> Path:
    """Write sheets as CSV into a folder; give it, or the file where there is one alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in sheets.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    (only, *others) = sheets
    return folder if others else folder / f"{only}.csv"
