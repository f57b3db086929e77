"""Employees: search, add, edit, deactivate, and enrol from uploaded pictures or the browser's camera."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...gallery.enrolments import MAX_PICTURE_BYTES, MAX_PICTURES, PictureFile
from ...kernel.errors import InvalidInputError
from ...kernel.i18n import N_, _
from ..library import library
from ..security import allow_camera
from . import forms
from .blueprint import blueprint, done, tells_problems


@blueprint.get("/employees")
def employees() -> str:
    """List employees."""
    search, inactive = forms.arg_text("search"), request.args.get("inactive") == "1"
    page = library().desk.employees(search=search, include_inactive=inactive, page=forms.arg_page())
    return render_template("admin/employees.html", page=page, search=search, inactive=inactive)


@blueprint.get("/employees/new")
def new_employee() -> str:
    """Ask for a new employee."""
    return render_template("admin/new_employee.html")


@blueprint.post("/employees/new")
@tells_problems(lambda: url_for("admin.new_employee"))
def add_employee() -> Response:
    """Add an employee without pictures."""
    added = library().enrolments.add(forms.text("code"), forms.text("name"), position=forms.text("position"))
    done(_("{name} was added. Now add pictures, or pair a phone.", name=added.employee.name))
    return redirect(_address(added.employee.id))


@blueprint.get("/employees/<int:employee_id>")
def employee(employee_id: int) -> Response:
    """Show an employee with phones and enrolled pictures."""
    person = library().desk.get_employee(employee_id)
    allow_camera()
    page = render_template(
        "admin/employee.html",
        person=person,
        photos=library().photos.of(person.code),
        phones=library().phones.list_phones(person.code),
        has_pin=library().phones.has_pin(person.code),
        today=library().desk.work_date(),
        most=MAX_PICTURES,
        keeps_crops=library().settings.enrolment.keep_crops,
        consent=library().privacy.find_consent(person.code),
        consent_text=library().privacy.consent_text(),
        demands_consent=library().privacy.demands_consent,
    )
    return make_response(page)


@blueprint.post("/employees/<int:employee_id>")
@tells_problems(lambda employee_id: _address(employee_id))
def edit_employee(employee_id: int) -> Response:
    """Give an employee another name and position."""
    person = library().desk.get_employee(employee_id)
    library().enrolments.edit(person.code, name=forms.text("name"), position=forms.text("position"))
    done(_("Saved."))
    return redirect(_address(employee_id))


@blueprint.post("/employees/<int:employee_id>/active")
@tells_problems(lambda employee_id: _address(employee_id))
def set_employee_active(employee_id: int) -> Response:
    """Let an employee punch, or not."""
    person = library().desk.get_employee(employee_id)
    if forms.text("active") == "1":
        library().activate_employee(person.code, reason=forms.text("reason"))
        done(_("{name} can punch again.", name=person.name))
    else:
        library().deactivate_employee(person.code, reason=forms.text("reason"))
        done(_("{name} can no longer punch.", name=person.name))
    return redirect(_address(employee_id))


@blueprint.post("/employees/<int:employee_id>/pictures")
@tells_problems(lambda employee_id: _address(employee_id))
def enrol(employee_id: int) -> Response:
    """Enrol pictures, and show the verdict of each."""
    person = library().desk.get_employee(employee_id)
    files = [file for file in request.files.getlist("pictures") if file.filename]
    if len(files) > MAX_PICTURES:
        raise InvalidInputError(N_("Choose 1 to {most} pictures."), most=MAX_PICTURES)
    # One byte more than is allowed tells that it is too long; the name is shown and never opened.
    pictures = []
    for place, file in enumerate(files, start=1):
        with file.stream as stream:
            pictures.append(PictureFile(_shown_name(file.filename or "", place), stream.read(MAX_PICTURE_BYTES + 1)))
    agreed_to = forms.text("consent")
    report = library().enrolments.add_pictures(
        person.code,
        pictures,
        allow_duplicate=request.form.get("allow_duplicate") == "1",
        consent=library().privacy.get_text(agreed_to) if agreed_to else None,
    )
    return make_response(render_template("admin/enrolled.html", person=report.employee, report=report))


@blueprint.get("/employees/<int:employee_id>/photos/<int:number>")
def photo(employee_id: int, number: int) -> Response:
    """Show the kept face of one enrolled photo."""
    person = library().desk.get_employee(employee_id)
    picture = make_response(library().photos.picture(person.code, number))
    picture.mimetype = "image/jpeg"
    return picture


@blueprint.post("/employees/<int:employee_id>/photos/<int:number>/remove")
@tells_problems(lambda employee_id, number: _address(employee_id))  # noqa: ARG005 - the view's arguments
def remove_photo(employee_id: int, number: int) -> Response:
    """Take one enrolled photo out."""
    person = library().desk.get_employee(employee_id)
    removed = library().photos.remove(person.code, number)
    done(_("The photo {source} was removed; the others stay.", source=removed.photo.source))
    return redirect(_address(employee_id))


def _shown_name(name: str, place: int) -> str:
    return name.replace("\\", "/").rpartition("/")[2][-60:] or str(place)


def _address(employee_id: int) -> str:
    return url_for("admin.employee", employee_id=employee_id)
