"""Commands that make tables once: normalize, demo."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping
from importlib import resources
from typing import Any

from aspen_etl.command_line.models import load_model
from aspen_etl.command_line.options import (
    add_common,
    add_debug,
    add_format,
    add_json,
    add_overwrite,
    new_run,
    settings_of,
)
from aspen_etl.command_line.output import print_json, print_summary, progress
from aspen_etl.command_line.sources import add_source, opened
from aspen_etl.io import read_extract
from aspen_etl.io.filesystem import display_url, locate
from aspen_etl.io.tables import write_valid_tables
from aspen_etl.normalization import NormalizeResult, conclude, normalize
from aspen_etl.schema import Held, Model, Run
from aspen_etl.synchronization.settings import Settings
from aspen_etl.transform.accepting import Settled, settle

__all__ = ["SAMPLE", "add_commands"]

#: The workbook that the package ships, made for it, with some faulty rows.
SAMPLE = "samples/borrowers.xlsx"


def add_commands(commands: Any) -> None:
    """Add the commands to the parser."""
    one = commands.add_parser("normalize", help="read an extract, write its tables and rejects")
    add_source(one)
    one.add_argument("target", metavar="TARGET", help="the folder to write to")
    add_format(one)
    add_json(one)
    add_common(one)
    add_overwrite(one)
    one.set_defaults(command=_normalize)
    demo = commands.add_parser(
        "demo", help="normalize a small workbook that comes with the package"
    )
    demo.add_argument(
        "target",
        metavar="FOLDER",
        nargs="?",
        default="aspen-etl-demo",
        help="the folder to write to (aspen-etl-demo)",
    )
    add_format(demo)
    add_json(demo)
    add_debug(demo)
    demo.set_defaults(command=_demo)


def _demo(arguments: argparse.Namespace) -> None:
    run = Run(time=dt.datetime.now(dt.timezone.utc), actor="demo")
    with resources.as_file(resources.files("aspen_etl").joinpath(SAMPLE)) as workbook:
        result = normalize(read_extract(workbook), run=run)
    written = write_valid_tables(
        result.tables,
        locate(arguments.target),
        rejects=result.rejects,
        format=arguments.format,
        overwrite=True,
    )
    _tell(arguments, result, written)
    if not arguments.json:
        rejects = f"{display_url(arguments.target)}/rejects.{arguments.format}"
        print(f"Every rejected cell, its row and the rule it broke: {rejects}")


def _settle(arguments: argparse.Namespace, settings: Settings, model: Model) -> Settled:
    with progress("reading"), opened(arguments, model, settings.reading) as source:
        if callable(source):
            extract = source()
        else:
            extract = read_extract(source, model=model, **settings.reading_of(source).keywords())
    with progress("settling"):
        return settle(extract, model, Held(), "delete")


def _normalize(arguments: argparse.Namespace) -> None:
    run = new_run(arguments)
    settings = settings_of(arguments)
    model = load_model(arguments.model)
    settled = _settle(arguments, settings, model)  # no cell as read is held from here on
    with progress("normalizing"):
        result = conclude(settled, model, Held(), run)
    with progress("writing"):
        written = write_valid_tables(
            result.tables,
            locate(arguments.target, settings.options_for(arguments.target)),
            rejects=result.rejects,
            format=arguments.format,
            overwrite=arguments.overwrite,
            model=model,
        )
    _tell(arguments, result, written)


def _tell(
    arguments: argparse.Namespace, result: NormalizeResult, written: Mapping[str, int]
) -> None:
    """Tell what a run read, wrote and rejected; ``files`` has the bytes of each."""
    target = display_url(arguments.target)
    if arguments.json:
        print_json({"target": target, "files": written, **result.summary.to_dict()})
        return
    print_summary(result.summary)
    print(f"\nWritten to {target}")
