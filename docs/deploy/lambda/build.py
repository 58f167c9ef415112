"""Build the package of the Lambda functions: a folder that `sam deploy` or a zip takes to AWS.

It needs uv, or pip, and a Python 3.13 to compile with; no Docker, and not the architecture that
it builds for: only wheels of that platform are taken. It refuses what Lambda would refuse.

    python build.py --flavour parquet --architecture arm64
    python build.py --flavour small --include my_model.py
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]

MB = 1024 * 1024
LIMIT_MB = 250  # Lambda takes 262,144,000 bytes unzipped, layers included
RUNTIME = "3.13"

#: The runtime python3.13 is Amazon Linux 2023: glibc 2.34. The wheels ask for less.
PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC = 28

CONSTRAINTS = {
    "parquet": "lambda-3.13.txt",
    "small": "lambda-3.13-small.txt",
    "sides": "lambda-3.13-sides.txt",
}

#: The services whose descriptions stay with botocore: data, the catalogue, keys, credentials.
SERVICES = {"s3", "sts", "glue", "athena", "kms", "secretsmanager"}

#: What no function runs: headers, stubs, sources of C, programs, what uv leaves.
SUFFIXES = {
    *(".a", ".c", ".cc", ".cpp", ".h", ".hpp", ".lib", ".pc"),
    *(".pxd", ".pxi", ".pyi", ".pyx"),
}
FOLDERS = [
    "bin",
    "share",
    ".lock",
    "*-stubs",
    "*/tests",
    "*/*/tests",
    "*/*/*/tests",
    "*/*/*/*/tests",
]
METADATA = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json"]

#: Parts of pyarrow that nothing links to which is left: other storages (s3fs is the way to S3),
#: Flight, its own tests.
PYARROW = [
    *("_flight.*", "flight.py", "libarrow_flight.*", "libarrow_python_flight.*"),
    *("_s3fs.*", "libarrow_s3.*", "_gcsfs.*", "_azurefs.*", "_hdfs.*"),
    *("_pyarrow_cpp_tests.*", "include", "src", "tests"),
]


class BuildError(Exception):
    """Say why there is no package."""


def run(*command: object) -> str:
    """Run a program that must succeed; give what it prints."""
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        message = f"{' '.join(words[:4])} ... failed:\n{done.stderr or done.stdout}"
        raise BuildError(message)
    return done.stdout


# ---------------------------------------------------------------------------------- installing


def find_python(wanted: str | None) -> str:
    """Find the Python that compiles: byte code is of one release alone."""
    question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    uv = shutil.which("uv")
    candidates = [wanted] if wanted else [sys.executable, f"python{RUNTIME}"]
    if uv and not wanted:
        found = subprocess.run(
            [uv, "python", "find", RUNTIME], check=False, capture_output=True, text=True
        )
        candidates.append(found.stdout.strip())
    for candidate in candidates:
        program = shutil.which(candidate or "")
        if program is None:
            continue
        told = subprocess.run(
            [program, "-c", question], check=False, capture_output=True, text=True
        )
        if told.stdout.startswith(f"{RUNTIME} "):
            return told.stdout.split(maxsplit=1)[1].strip()
    message = f"there is no Python {RUNTIME} to compile with; give one with --python"
    raise BuildError(message)


def install(folder: Path, machine: str, python: str, *what: object) -> None:
    """Install wheels of the platform into the folder, and nothing that these would ask for."""
    uv = shutil.which("uv")
    if uv:
        platform = ["--python-platform", f"{machine}-manylinux_2_{GLIBC}"]
        tool = [uv, "pip", "install", "--quiet", "--link-mode", "copy", *platform]
    else:
        platform = [f"--platform=manylinux_2_{minor}_{machine}" for minor in range(GLIBC, 4, -1)]
        platform += [f"--platform=manylinux2014_{machine}", "--implementation=cp"]
        # The runtime's Python asks: another one's pip takes its own version for the target's.
        tool = [python, "-m", "pip", "install", "--quiet", *platform]
    options = ["--python-version", RUNTIME, "--only-binary", ":all:", "--no-deps"]
    run(*tool, *options, "--target", folder, *what)


def build_wheel(package: Path, python: str, folder: Path) -> Path:
    """Give the library as a wheel; a wheel is taken as it is."""
    if package.suffix == ".whl":
        return package
    uv = shutil.which("uv")
    if uv:
        run(uv, "build", "--quiet", "--wheel", "--out-dir", folder, package)
    else:
        pip = [python, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        run(*pip, "--wheel-dir", folder, package)
    (wheel,) = folder.glob("*.whl")
    return wheel


def include(folder: Path, added: Path) -> None:
    """Copy a module or a package of the user's, as it is."""
    if added.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(added, folder / added.name, ignore=ignored)
    elif added.is_file():
        shutil.copy2(added, folder / added.name)
    else:
        message = f"there is nothing to include at {added}"
        raise BuildError(message)


# ------------------------------------------------------------------------------------ trimming


def surplus(folder: Path) -> Iterator[Path]:
    """Yield what no function needs."""
    for pattern in FOLDERS:
        yield from folder.glob(pattern)
    for path in folder.rglob("*"):
        if path.suffix in SUFFIXES and path.is_file():
            yield path
    for name in METADATA:
        yield from folder.glob(f"*.dist-info/{name}")
    for path in (folder / "botocore" / "data").glob("*"):
        if path.is_dir() and path.name not in SERVICES:
            yield path
    for pattern in PYARROW:
        yield from (folder / "pyarrow").glob(pattern)
    # A wheel holds no links: a library is in it under each of its names. The loader asks for
    # libarrow_python.so.2600, and neither for the shorter name nor for the longer one.
    for path in (folder / "pyarrow").glob("lib*.so.[0-9]*"):
        name, _, version = path.name.partition(".so.")
        if version.isdigit():
            yield from path.parent.glob(f"{name}.so.{version}.*")
            yield from path.parent.glob(f"{name}.so")


def trim(folder: Path) -> None:
    """Delete what no function needs."""
    for path in sorted(set(surplus(folder))):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def forget_services(folder: Path) -> None:
    """Take the other services out of botocore's list of endpoints: it costs 10 MB when read."""
    path = folder / "botocore" / "data" / "endpoints.json"
    if path.is_file():
        endpoints = json.loads(path.read_text("utf-8"))
        for partition in endpoints["partitions"]:
            held = partition["services"]
            partition["services"] = {name: held[name] for name in sorted(SERVICES & held.keys())}
        path.write_text(json.dumps(endpoints), encoding="utf-8")


def compile_all(folder: Path, python: str) -> None:
    """Compile for good: the file times of a zip say nothing, so that none are asked for."""
    words = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash"]
    run(*words, "-s", folder, "-p", "/var/task", folder)


# ----------------------------------------------------------------------------------- measuring


def files(folder: Path) -> list[Path]:
    """List the files, in an order that does not depend on the disk."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def describe(folder: Path, rows: int = 12) -> str:
    """Say what is in the folder: the largest packages and the sum, in MB."""
    sizes: Counter[str] = Counter()
    for path in files(folder):
        top = path.relative_to(folder).parts[0]
        sizes[top.removesuffix(".libs") if top.endswith(".libs") else top] += path.stat().st_size
    largest = sizes.most_common(rows)
    lines = [f"{size / MB:8.1f}  {name}" for name, size in largest]
    rest = sum(sizes.values()) - sum(size for _, size in largest)
    lines.append(f"{rest / MB:8.1f}  {max(len(sizes) - rows, 0)} others")
    lines.append(f"{sum(sizes.values()) / MB:8.1f}  MB unzipped")
    return "\n".join(lines)


def refuse_large(folder: Path, limit: float) -> None:
    """Refuse what Lambda would refuse."""
    size = sum(path.stat().st_size for path in files(folder)) / MB
    if size > limit:
        message = (
            f"the package has {size:.1f} MB unzipped and Lambda takes {limit:g} MB at most, "
            "layers included; leave something out, or deploy an image"
        )
        raise BuildError(message)


def write_zip(folder: Path, target: Path) -> None:
    """Zip the folder; equal folders give equal bytes."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


# ----------------------------------------------------------------------------------------- main


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument(
        "--flavour",
        choices=sorted(CONSTRAINTS),
        default="parquet",
        help="parquet holds pyarrow, small writes CSV alone, sides has drivers of databases beside "
        "(default: parquet)",
    )
    parser.add_argument("--architecture", choices=sorted(PLATFORMS), default="arm64")
    parser.add_argument(
        "--package",
        type=Path,
        default=CHECKOUT,
        help="the library: a checkout, or a wheel (default: the checkout that this file is in)",
    )
    parser.add_argument("--constraints", type=Path, help="other versions than the tested ones")
    parser.add_argument(
        "--include",
        type=Path,
        action="append",
        default=[],
        help="a module or package of your own; may be given again",
    )
    parser.add_argument(
        "--folder", type=Path, help="where it is built (default: build/FLAVOUR-ARCHITECTURE)"
    )
    parser.add_argument("--no-zip", action="store_true", help="the folder alone")
    parser.add_argument("--python", help=f"the Python {RUNTIME} that compiles")
    parser.add_argument("--limit", type=float, default=LIMIT_MB, help="in MB unzipped")
    return parser.parse_args(arguments)


def build(options: argparse.Namespace) -> Path:
    """Build the folder; give its path."""
    name = f"{options.flavour}-{options.architecture}"
    folder: Path = (options.folder or HERE / "build" / name).resolve()
    python = find_python(options.python)
    machine = PLATFORMS[options.architecture]
    constraints = options.constraints or HERE.parent / "constraints" / CONSTRAINTS[options.flavour]
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    install(folder, machine, python, "-r", constraints)
    with tempfile.TemporaryDirectory() as scratch:
        install(folder, machine, python, build_wheel(options.package, python, Path(scratch)))
    for added in options.include:
        include(folder, added)
    trim(folder)
    forget_services(folder)
    compile_all(folder, python)
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, measure, say what is in it."""
    options = parse(arguments)
    try:
        folder = build(options)
        print(describe(folder))
        refuse_large(folder, options.limit)
        if not options.no_zip:
            target = folder.with_name(f"{folder.name}.zip")
            write_zip(folder, target)
            print(f"{target.stat().st_size / MB:8.1f}  MB zipped: {os.path.relpath(target)}")
    except BuildError as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
