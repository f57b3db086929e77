"""A server follows the other machines from its start, though nobody has been recognised by it."""

from __future__ import annotations

import os

import pytest

from smartabsen import SmartAbsen
from smartabsen.gallery.model_file import load_model
from tests.installation import Draw, draw as draw, flags as flags
from tests.machines import (
    OpenElsewhere as OpenElsewhere,
    elsewhere as elsewhere,
    known,
    office as office,
    shared as shared,
    version,
    wait_until,
)

from .server_process import STRONG_SECRET, running_server


@pytest.mark.slow
@pytest.mark.parametrize(
    "production", [False, pytest.param(True, marks=pytest.mark.skipif(os.name != "posix", reason="needs Gunicorn"))]
)
def test_an_erased_person_leaves_the_files_of_a_server_that_recognised_nobody_yet(
    office: SmartAbsen, elsewhere: OpenElsewhere, draw: Draw, shared: dict[str, object], production: bool
) -> None:
    """The model file within seconds, and the log."""
    with elsewhere() as door:
        assert known(door, draw, 1) == ["E1"]
        door.punch("E1")
        home, assets, ring = door.settings.home, door.settings.assets_dir, door.services.key_chain.ring()
        log = next(door.settings.csv_dir.glob("*.csv"))
    settings = {
        "SMARTABSEN_ENGINE": "fake",
        "SMARTABSEN_DATABASE_URL": str(shared["database_url"]),
        "SMARTABSEN_SECRET_KEY": STRONG_SECRET,
    }
    arguments = ("--production", "--workers", "2") if production else ()
    with running_server(home, *arguments, settings=settings) as server:
        assert server.get("/healthz")[0] == 200
        office.privacy.erase("E1", reason="asked for it")
        wait_until(lambda: 1 not in load_model(assets, ring).employee_ids)
        wait_until(lambda: b"Contoh 1" not in log.read_bytes())
        assert version(office) == load_model(assets, ring).version
