"""The contract once more, in plain Python: loops over rows, written from the contract alone.

It knows no function of the package. Sheets come as lists of rows: the row's number, then its
cells, each text or None. Tables go out as lists of dicts, the audit columns left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

Cell = Optional[str]
Row = dict[str, Any]

SPACES = (
    "\t\n\x0b\x0c\r \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

BORROWER = (
    "id",
    "full_name",
    "street",
    "city",
    "state",
    "zip_code",
    "phone_home",
    "phone_cell",
    "email",
)
ROLE = ("borrower_id", "role_profile")
ADDRESS = ("street", "city", "state", "zip_code")
ROW_SCOPE = {"id", "full_name", "borrower_id", "role_profile"}
LENGTHS = {
    "id": 128,
    "full_name": 128,
    "street": 128,
    "city": 128,
    "state": 64,
    "zip_code": 32,
    "phone_home": 20,
    "phone_cell": 20,
    "email": 254,
    "role_profile": 128,
}


@dataclass
class Line:
    """A source row while it is judged."""

    number: int
    raw: dict[str, Cell]
    clean: dict[str, Cell] = field(default_factory=dict)
    faults: list[tuple[str, str, str]] = field(default_factory=list)  # column, rule, scope
    unreadable: set[str] = field(default_factory=set)

    def reject(self, column: str, rule: str) -> None:
        scope = "row" if column in ROW_SCOPE else "address" if column in ADDRESS else "value"
        if (column, rule, scope) not in self.faults:
            self.faults.append((column, rule, scope))

    @property
    def stays_out(self) -> bool:
        return any(scope == "row" for _, _, scope in self.faults)


@dataclass
class Expected:
    """What the contract says comes of an extract."""

    tables: dict[str, list[Row]]
    rejects: list[Row]


def normalize(
    borrower: list[tuple[int, dict[str, Cell]]],
    role_profile: list[tuple[int, dict[str, Cell]]],
    unreadable: dict[tuple[str, int, str], tuple[str, str]],
) -> Expected:
    """Work out tables and rejects.

    Args:
        borrower: Number and cells of each row.
        role_profile: Likewise.
        unreadable: Value and rule of each cell that holds no text, by sheet, row and column.
    """
    borrowers = list(read("borrower", BORROWER, borrower, unreadable))
    roles = list(read("role_profile", ROLE, role_profile, unreadable))
    accepted = judge_borrowers(borrowers)
    judge_roles(roles, accepted)
    rejects = [
        *list_rejects("borrower", "id", borrowers),
        *list_rejects("role_profile", "borrower_id", roles),
    ]
    return Expected(build(accepted, [line for line in roles if not line.stays_out]), rejects)


# ------------------------------------------------------------------------- reading and cleaning


def read(
    sheet: str,
    columns: tuple[str, ...],
    rows: list[tuple[int, dict[str, Cell]]],
    unreadable: dict[tuple[str, int, str], tuple[str, str]],
) -> Iterator[Line]:
    for number, cells in rows:
        line = Line(number, dict(cells))
        broken = {
            c: unreadable[sheet, number, c] for c in columns if (sheet, number, c) in unreadable
        }
        for column in columns:
            line.clean[column] = clean(cells[column])
        if not broken and all(cell is None for cell in line.clean.values()):
            continue
        if is_header([cells[column] for column in columns], columns):
            line.clean, line.unreadable = dict.fromkeys(columns), set(columns)
            line.reject(columns[0], "repeated_header")
        for column, (value, rule) in broken.items():
            line.raw[column], line.clean[column] = value, None
            line.unreadable.add(column)
            line.reject(column, rule)
        if sheet == "borrower" and line.clean["zip_code"] is not None:
            line.clean["zip_code"] = zip_code(line.clean["zip_code"])
        if sheet == "role_profile" and line.clean["role_profile"] is not None:
            line.clean["role_profile"] = line.clean["role_profile"].lower()
        for column in columns:
            cell = line.clean[column]
            if cell is not None and any(
                unicodedata.category(character) == "Cc" for character in cell
            ):
                line.reject(column, "invalid_text")
        yield line


def is_header(cells: list[Cell], columns: tuple[str, ...]) -> bool:
    """Tell whether a row is a header of all columns, in any order."""
    words = [(cell or "").strip(SPACES + "\ufeff").casefold() for cell in cells]
    return sorted(words) == sorted(columns)


def clean(cell: Cell) -> Cell:
    if cell is None:
        return None
    words, word = [], ""
    for character in cell + " ":
        if character in SPACES:
            words += [word] if word else []
            word = ""
        else:
            word += character
    return " ".join(words) or None


def zip_code(text: str) -> str:
    if text[-2:] == ".0":
        text = text[:-2]
    if not text or any(character not in "0123456789" for character in text):
        return text
    if 3 <= len(text) <= 4:
        return "0" * (5 - len(text)) + text
    if 7 <= len(text) <= 9:
        text = "0" * (9 - len(text)) + text
        return text[:5] + "-" + text[5:]
    return text


# ------------------------------------------------------------------------- rules


def judge_borrowers(lines: list[Line]) -> list[Line]:
    for line in lines:
        judge_required(line)
        judge_lengths(line)
        judge_address(line)
        judge_forms(line)
    accepted: dict[str, Line] = {}
    for line in lines:
        key = line.clean["id"]
        if key is None:
            continue
        if key in accepted:
            line.reject("id", "duplicate_id")
        elif not line.stays_out:
            accepted[key] = line
    return [accepted[key] for key in sorted(accepted)]


def judge_required(line: Line) -> None:
    for column, rule in (("id", "missing_id"), ("full_name", "missing_name")):
        if line.clean[column] is None and column not in line.unreadable:
            line.reject(column, rule)


def judge_lengths(line: Line) -> None:
    for column in BORROWER:
        cell = line.clean[column]
        if cell is None:
            continue
        parts = split(cell) if column == "full_name" else (cell,)
        if any(len(part) > LENGTHS[column] for part in parts):
            line.reject(column, "too_long")


def judge_address(line: Line) -> None:
    there = {column for column in ADDRESS if line.clean[column] is not None} | line.unreadable
    for column in ("city", "state", "zip_code"):
        if there & set(ADDRESS) and column not in there:
            line.reject(column, "incomplete_address")


def judge_forms(line: Line) -> None:
    code = line.clean["zip_code"]
    if code is not None and not is_zip_code(code):
        line.reject("zip_code", "invalid_zip_code")
    for column in ("phone_home", "phone_cell"):
        phone = line.clean[column]
        if phone is not None and not is_phone(phone):
            line.reject(column, "invalid_phone")
    email = line.clean["email"]
    if email is not None:
        before, _, after = email.partition("@")
        if (
            not before
            or not after
            or "@" in after
            or any(character in SPACES for character in email)
        ):
            line.reject("email", "invalid_email")


def is_zip_code(text: str) -> bool:
    shape = "".join("9" if character in "0123456789" else character for character in text)
    return shape in {"99999", "99999-9999"}


def is_phone(text: str) -> bool:
    """7 to 15 digits with the usual separators, an optional + before and extension after."""
    body = re.sub(
        r" ?(?:ext(?:\.|ension|en)?|x|#) ?[0-9]{1,6}\Z", "", text, flags=re.IGNORECASE | re.ASCII
    )
    if "ext" in body.lower() or "x" in body.lower():
        return False
    if (
        body.count("+") > 1
        or body.partition("+")[0] not in {body, "", "("}
        or body[-1:] not in "0123456789"
    ):
        return False
    digits = [character for character in body if character in "0123456789"]
    return 7 <= len(digits) <= 15 and all(character in "0123456789+-. /()" for character in body)


def judge_roles(lines: list[Line], borrowers: list[Line]) -> None:
    known = {line.clean["id"] for line in borrowers}
    taken = set()
    for line in lines:
        owner, role = line.clean["borrower_id"], line.clean["role_profile"]
        if owner is None and "borrower_id" not in line.unreadable:
            line.reject("borrower_id", "missing_borrower_id")
        if owner is not None and owner not in known:
            line.reject("borrower_id", "unknown_borrower")
        if role is None and "role_profile" not in line.unreadable:
            line.reject("role_profile", "missing_role")
        if role is not None and len(role) > LENGTHS["role_profile"]:
            line.reject("role_profile", "too_long")
        if owner not in known or role is None:
            continue
        if (owner, role) in taken:
            line.reject("role_profile", "duplicate_role")
        elif not line.stays_out:
            taken.add((owner, role))


def list_rejects(sheet: str, subject: str, lines: list[Line]) -> Iterator[Row]:
    columns = BORROWER if sheet == "borrower" else ROLE
    for line in lines:
        for column, rule, scope in sorted(
            line.faults, key=lambda fault: (columns.index(fault[0]), fault[1])
        ):
            yield {
                "source": sheet,
                "row": line.number,
                "subject": held(
                    line.raw[subject] if subject in line.unreadable else line.clean[subject]
                ),
                "column": column,
                "value": held(line.raw[column]) or None,
                "rule": rule,
                "scope": scope,
                "record": line.raw,
            }


def held(cell: Cell) -> Cell:
    """Escape what a text column cannot hold."""
    if cell is None:
        return None
    return "".join(
        f"\\u{ord(c):04x}" if unicodedata.category(c) == "Cs" else "\\x00" if c == "\0" else c
        for c in cell
    )


# ------------------------------------------------------------------------- tables


def split(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last


def build(borrowers: list[Line], roles: list[Line]) -> dict[str, list[Row]]:
    cells = [kept(line) for line in borrowers]
    people = {row["id"]: number for number, row in enumerate(cells, 1)}
    held_roles = {
        (people[str(line.clean["borrower_id"])], str(line.clean["role_profile"])) for line in roles
    }
    role_types = number_values({role for _, role in held_roles})
    with_role = {user for user, _ in held_roles}
    profiles = sorted(
        [(user, role_types[role]) for user, role in held_roles]
        + [(user, 0) for user in people.values() if user not in with_role]
    )
    rows = [(number, cells[user - 1]) for number, (user, _) in enumerate(profiles, 1)]
    phones = [
        (profile, kind, row[f"phone_{kind}"])
        for profile, row in rows
        for kind in ("home", "cell")
        if row[f"phone_{kind}"] is not None
    ]
    phone_types = number_values({kind for _, kind, _ in phones})
    emails = [(profile, row["email"]) for profile, row in rows if row["email"] is not None]
    addresses = [
        (profile, row)
        for profile, row in rows
        if any(row[column] is not None for column in ADDRESS)
    ]
    return {
        "user_profile": [
            dict(
                zip(
                    ("user_profile_id", "first_name", "last_name"),
                    (row["id"], *split(row["full_name"])),
                )
            )
            for row in cells
        ],
        "user": [
            {"user_id": number, "user_profile_id": row["id"]} for number, row in enumerate(cells, 1)
        ],
        "role_profile_type": listed("role_profile_type", role_types),
        "role_profile": [
            {"role_profile_id": number, "user_id": user, "role_profile_type_id": kind or None}
            for number, (user, kind) in enumerate(profiles, 1)
        ],
        "phone_number_type": listed("phone_number_type", phone_types),
        "phone_number": [
            {
                "phone_number_id": number,
                "role_profile_id": profile,
                "phone_number_type_id": kind,
                "value": value,
            }
            for number, (profile, kind, value) in enumerate(
                sorted((p, phone_types[k], v) for p, k, v in phones), 1
            )
        ],
        "email_type": listed("email_type", number_values({"email"} if emails else set())),
        "email": [
            {"email_id": number, "role_profile_id": profile, "email_type_id": 1, "value": value}
            for number, (profile, value) in enumerate(emails, 1)
        ],
        "address": [
            {
                "address_id": number,
                "role_profile_id": profile,
                **{column: row[column] for column in ADDRESS},
            }
            for number, (profile, row) in enumerate(addresses, 1)
        ],
    }


def kept(line: Line) -> dict[str, Any]:
    """Give the cells of an accepted row, less those that are rejected."""
    row: dict[str, Any] = dict(line.clean)
    for column, _, scope in line.faults:
        for lost in ADDRESS if scope == "address" else (column,):
            row[lost] = None
    return row


def number_values(values: set[str]) -> dict[str, int]:
    return {value: number for number, value in enumerate(sorted(values), 1)}


def listed(table: str, values: dict[str, int]) -> list[Row]:
    return [{f"{table}_id": number, "type": value} for value, number in values.items()]
