"""What the firm decides of its working time, for whom and from which date."""

from __future__ import annotations

from typing import Final

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ...attendance.policy.model import INHERIT, KEYS, PolicyKey
from ...attendance.rules.exceptions import LABELS, ExceptionKind
from ...attendance.standing import Scope
from ...kernel.i18n import N_, _
from ..library import library
from . import filled, forms
from .blueprint import blueprint, done
from .filled import shows_again
from .people_choice import people_to_choose

_SCOPES: Final = {scope.value: scope for scope in Scope}
_WORDS: Final = {
    "yes": N_("yes"),
    "no": N_("no"),
    "exact": N_("exact"),
    "floor": N_("cut to whole rupiah"),
    "half_up": N_("rounded to whole rupiah"),
    "refuse": N_("refuse"),
    "4x": N_("pay four times"),
}
"""Values as people read them."""


@blueprint.get("/policies")
def policies() -> str:
    """List policies with their meaning and what was decided."""
    codes = {person.id: person.code for person in library().employees()}
    entries = library().policies.entries()
    people = {Scope.EMPLOYEE.value}
    return render_template(
        "admin/policies.html",
        keys=KEYS.values(),
        entries={
            name: [
                (each, codes.get(each.scope_id, "") if each.scope.value in people else each.of)
                for each in reversed(entries)
                if each.name == name
            ]
            for name in KEYS
        },
        scopes=[
            (Scope.FIRM.value, _("the whole firm")),
            (Scope.SITE.value, _("a site")),
            (Scope.DEPARTMENT.value, _("a department")),
            (Scope.EMPLOYEE.value, _("one person")),
        ],
        sites=library().sites.list_sites(),
        departments=library().departments.list_departments(),
        people=people_to_choose(),
        today=library().desk.work_date(),
        describe_exception=lambda word: _(LABELS[ExceptionKind(word)]),
        word_options=lambda key: (
            [(word, _(_WORDS[word])) for word in key.words] + [(INHERIT, _("as the next wider scope"))]
        ),
        describe_value=_describe_value,
    )


@blueprint.post("/policies")
@shows_again(policies)
def set_policy() -> Response:
    """Decide a policy from a date on."""
    scope, key = _SCOPES.get(forms.text("scope")), KEYS.get(forms.text("name"))
    if scope is None or key is None:
        abort(400)
    valid_from = filled.day("valid_from", N_("date"))
    value = ",".join(request.form.getlist("value")) if key.many else forms.text("value")
    with filled.at("value"):
        key.check(value)
    code = "" if scope is Scope.FIRM else forms.text("code")
    with filled.at("value" if scope is Scope.FIRM else "code"):
        library().policies.set(key.name, value, valid_from=valid_from, scope=scope, code=code)
    done(_("Decided from {date} on.", date=valid_from))
    return redirect(url_for("admin.policies"))


def _describe_value(key: PolicyKey, value: str) -> str:
    if value == INHERIT:
        return _("as the next wider scope")
    if key.many:
        return ", ".join(_(LABELS[ExceptionKind(each)]) for each in value.split(",") if each) or _("none")
    return _(_WORDS[value]) if key.words else value
