"""A database server whose settings risk what it acknowledged."""

from __future__ import annotations

import pytest

from smartabsen import SmartAbsen

from .server import PrivateServer


@pytest.mark.mariadb
@pytest.mark.slow
def test_a_server_that_could_lose_commits_is_told(flags: dict[str, object], server: PrivateServer) -> None:
    """By doctor and by the status of the database; on a server of this test's own, since the setting is global."""
    with SmartAbsen.open(flags={**flags, "database_url": server.url}) as app:
        assert app.databases.status().facts.risks == ()
        with server.connect() as connection, connection.cursor() as cursor:
            cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        (risk,) = app.databases.status().facts.risks
        rows = [check for check in app.check_health() if check.name == "durability"]
    assert "innodb_flush_log_at_trx_commit" in risk
    assert [check.detail for check in rows] == [risk]
