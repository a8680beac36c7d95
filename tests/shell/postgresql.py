"""A PostgreSQL server of the tests' own: in a temporary folder, on a socket in it, ended with the tests."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

USER, PASSWORD = "shop", "s3cr/et word"


def programs() -> Path:
    """The folder of initdb and pg_ctl; skips where PostgreSQL is not installed."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "pg_ctl").exists() and (folder / "initdb").exists():
            return folder
    pytest.skip("PostgreSQL is not installed: on Debian, apt-get install postgresql")


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The address of a running server with the database `shop`, password included.

    PostgreSQL refuses to run as root; then it runs as the user `postgres` or `nobody`.
    """
    bin_folder, run_as = programs(), _unprivileged()
    data, socket = folder / "db", folder / "s"
    for path in (data, socket):
        path.mkdir()
        if run_as:
            shutil.chown(path, run_as)
    for parent in (folder, *folder.parents):
        if run_as and parent.stat().st_uid == 0 and parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    secret = socket / "secret"
    secret.write_text(PASSWORD + "\n")
    if run_as:
        shutil.chown(secret, run_as)
    prefix = ["setpriv", f"--reuid={run_as}", f"--regid={_group(run_as)}", "--clear-groups"] if run_as else []
    made = [str(bin_folder / "initdb"), "-D", str(data), "-U", USER, "--auth=scram-sha-256", "--no-sync"]
    _done([*prefix, *made, f"--pwfile={secret}", "--encoding=UTF8", "--locale=C"])
    control = [*prefix, str(bin_folder / "pg_ctl"), "-D", str(data)]
    options = f"-c listen_addresses='' -c unix_socket_directories={socket} -c fsync=off"
    _done([*control, "-w", "-t", "60", "-l", str(data / "log"), "-o", options, "start"])
    try:
        address = f"postgresql://{USER}:{PASSWORD.replace('/', '%2F').replace(' ', '%20')}@/{{}}?host={socket}"
        execute(address.format("postgres"), "CREATE DATABASE shop")
        yield address.format("shop")
    finally:
        _done([*control, "-m", "immediate", "stop"])


def execute(address: str, *statements: str) -> None:
    """Run statements, each for itself."""
    import adbc_driver_postgresql.dbapi as postgresql

    with postgresql.connect(address, autocommit=True) as con, con.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    if not shutil.which("setpriv"):
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv to become somebody else")
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid


def _done(command: list[str]) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stdout + ended.stderr
