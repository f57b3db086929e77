"""Sites, kiosks and departments."""

from __future__ import annotations

from pathlib import Path

import pytest

from smartabsen import ConflictError, InvalidInputError, NotFoundError, SmartAbsen


def open_at(flags: dict[str, object], zone: str, *, name: str = "") -> SmartAbsen:
    """Open the installation as a machine with these settings does."""
    return SmartAbsen.open(flags={**flags, "site.zone": zone, "site.name": name})


def test_the_first_start_makes_one_site_of_the_settings_which_waits_to_be_confirmed(home: dict[str, object]) -> None:
    """A machine in Makassar has its zone, not the default, and says that nobody has agreed yet."""
    with open_at(home, "Asia/Makassar", name="Toko Contoh 2") as app:
        (site,) = app.sites.list_sites()

        assert (site.code, site.name, site.zone, site.is_confirmed) == (
            "TOKO-CONTOH-2", "Toko Contoh 2", "Asia/Makassar", False,
        )  # fmt: skip
        assert app.sites.confirm("toko-contoh-2").is_confirmed
        assert [entry.action for entry in app.desk.audit().entries] == ["site.confirm"]


def test_a_second_machine_with_another_zone_makes_no_second_site(home: dict[str, object], tmp_path: Path) -> None:
    """Its settings count no more; doctor says which ones."""
    with open_at(home, "Asia/Makassar") as app:
        assert app.sites.list_sites()[0].code == "UTAMA"
    with open_at(home, "Asia/Jakarta") as app:
        assert [site.zone for site in app.sites.list_sites()] == ["Asia/Makassar"]
        told = [row for row in app.check_health() if row.name == "sites" and dict(row.params).get("setting")]
        assert [dict(row.params)["setting"] for row in told] == ["Asia/Jakarta"]


def test_a_confirmed_site_can_be_corrected(app: SmartAbsen) -> None:
    """A wrong zone is put right, and the trail has both."""
    changed = app.sites.confirm("UTAMA", zone="Asia/Jayapura")

    assert changed.zone == "Asia/Jayapura"
    assert app.desk.audit().entries[0].details["zone_after"] == "Asia/Jayapura"


def test_a_site_needs_a_code_of_its_own_and_a_zone_that_exists(app: SmartAbsen) -> None:
    """Neither the case of the letters nor a made-up zone passes."""
    app.sites.add("MKS", name="Makassar", zone="Asia/Makassar")

    with pytest.raises(ConflictError):
        app.sites.add("mks", name="Another", zone="Asia/Jakarta")
    with pytest.raises(InvalidInputError):
        app.sites.add("PLU", name="Palu", zone="Asia/Palu")


def test_a_kiosk_stands_at_one_site(app: SmartAbsen) -> None:
    """The last word counts; a kiosk of which nobody spoke stands at the first site."""
    app.sites.add("MKS", name="Makassar", zone="Asia/Makassar")
    app.sites.assign_kiosk("Lobby", site="UTAMA")
    app.sites.assign_kiosk("Lobby", site="MKS")

    known = app.sites.directory()
    of_lobby, of_another = known.of_kiosk("Lobby"), known.of_kiosk("Door")
    assert of_lobby is not None and of_another is not None
    assert (of_lobby.code, of_another.code) == ("MKS", "UTAMA")
    assert {kiosk.name: kiosk.site for kiosk in app.sites.kiosks()}["Lobby"] == "MKS"
    with pytest.raises(NotFoundError):
        app.sites.assign_kiosk("Lobby", site="SBY")


def test_a_department_has_a_head_who_is_an_employee(app: SmartAbsen) -> None:
    """A code that nobody has is refused, and nothing is added."""
    app.add_employee("Contoh Kepala", code="E001")

    with pytest.raises(NotFoundError):
        app.departments.add("GUDANG", name="Gudang", head="E404")
    added = app.departments.add("GUDANG", name="Gudang", head="e001")

    assert (added.head_code, added.head_name) == ("E001", "Contoh Kepala")
    assert [each.code for each in app.departments.list_departments()] == ["GUDANG"]
    assert app.departments.change("gudang", head="").head_code == ""
