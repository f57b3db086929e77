"""A MariaDB server of the tests' own: started, killed and started again on the same data directory."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pymysql

PROGRAM = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
INSTALLER = shutil.which("mariadb-install-db")


class PrivateServer:
    """A server in a directory; its durability is that of production.

    Args:
        directory: Empty; gets the data and the socket.
    """

    def __init__(self, directory: Path) -> None:
        assert PROGRAM and INSTALLER
        self._directory = directory
        self._data = directory / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        install = [
            INSTALLER,
            "--no-defaults",
            f"--datadir={self._data}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        self._data.mkdir()
        if os.geteuid() == 0:
            install.append("--user=root")
        subprocess.run(install, check=True, capture_output=True, timeout=120)
        self.start()
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE smartabsen CHARACTER SET utf8mb4")

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/smartabsen"

    def connect(self) -> pymysql.Connection:  # type: ignore[type-arg]
        """Connect as its administrator."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", connect_timeout=2, read_timeout=5)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        assert PROGRAM
        command = [
            PROGRAM,
            "--no-defaults",
            f"--datadir={self._data}",
            f"--socket={self._directory / 's'}",
            f"--pid-file={self._directory / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=1",
            "--innodb-buffer-pool-size=32M",
        ]
        if os.geteuid() == 0:
            command.append("--user=root")
        log = (self._directory / "log").open("ab")
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + 60
        while True:
            try:
                self.connect().close()
            except pymysql.err.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None
