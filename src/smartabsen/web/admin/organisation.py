"""Sites with their kiosks, and departments."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from ...kernel.i18n import _
from ..library import library
from . import forms
from .blueprint import blueprint, done
from .filled import shows_again
from .people_choice import people_to_choose

_ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")


@blueprint.get("/sites")
def sites() -> str:
    """List sites and kiosks."""
    known = library().sites.list_sites()
    others = sorted(zone for zone in available_timezones() if zone.startswith("Asia/") and zone not in _ZONES)
    return render_template(
        "admin/sites.html",
        sites=known,
        kiosks=library().sites.kiosks(),
        site_options=[(site.code, f"{site.name} ({site.code})") for site in known],
        zones=(*_ZONES, *others),
        first_zone=known[0].zone if known else _ZONES[0],
    )


@blueprint.post("/sites")
@shows_again(sites)
def add_site() -> Response:
    """Add a site."""
    site = library().sites.add(forms.text("code"), name=forms.text("name"), zone=forms.text("zone"))
    done(_("The site {name} was added.", name=site.name))
    return redirect(url_for("admin.sites"))


@blueprint.post("/sites/confirm")
@shows_again(sites)
def confirm_site() -> Response:
    """Agree to a site, or correct its name or zone."""
    site = library().sites.confirm(forms.text("code"), name=forms.text("name"), zone=forms.text("zone"))
    done(_("{name}: {zone}.", name=site.name, zone=site.zone))
    return redirect(url_for("admin.sites"))


@blueprint.post("/sites/kiosks")
@shows_again(sites)
def assign_kiosk() -> Response:
    """Say at which site a kiosk stands."""
    kiosk = library().sites.assign_kiosk(forms.text("name"), site=forms.text("site"))
    done(_("The kiosk {name} stands at {site}.", name=kiosk.name, site=kiosk.site))
    return redirect(url_for("admin.sites"))


@blueprint.get("/departments")
def departments() -> str:
    """List departments."""
    return render_template(
        "admin/departments.html",
        departments=library().departments.list_departments(),
        people=people_to_choose(),
    )


@blueprint.post("/departments")
@shows_again(departments)
def add_department() -> Response:
    """Add a department."""
    added = library().departments.add(forms.text("code"), name=forms.text("name"), head=forms.text("head"))
    done(_("The department {name} was added.", name=added.name))
    return redirect(url_for("admin.departments"))


@blueprint.post("/departments/change")
@shows_again(departments)
def change_department() -> Response:
    """Give a department another name or another head."""
    changed = library().departments.change(forms.text("code"), name=forms.text("name"), head=forms.text("head"))
    done(_("{name} is changed.", name=changed.name))
    return redirect(url_for("admin.departments"))
