"""Keys, privacy and the change of an engine: as JSON, and as people see them."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import typer

from ..kernel import domain
from ..kernel.i18n import N_, _
from . import data, training_view
from .output import Cell, Column, Output
from .session import Session
from .tables import percent

if TYPE_CHECKING:
    from ..app.facade import SmartAbsen
    from ..gallery.reembed import ReembedReport
    from ..privacy.erase import Erasure, ErasurePlan
    from ..privacy.export import PersonExport
    from ..privacy.keys import KeyCheck, KeyInit, KeyRotation
    from ..privacy.purge import Purge
    from ..trust.audit import BrokenSeal

_PROBLEMS = {
    "broken": N_("changed, or moved from somebody else"),
    "unsealed": N_("not sealed"),
    "no_key": N_("its key is not here"),
}
_MODEL_STATES = {
    "ok": N_("opens"),
    "none": N_("nothing is trained yet"),
    "no_key": N_("its key is not here"),
    "broken": N_("damaged, or not sealed"),
}


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Let what cannot be undone happen only when somebody says so: ``--yes``, or an answer on a terminal."""
    if yes:
        return
    if not session.out.can_ask():
        raise typer.BadParameter(_("This cannot be undone: give --yes, or look first with --dry-run."))
    if not session.out.confirm(question):
        session.out.warn(_("Nothing was changed."))
        raise typer.Exit(1)


def ask_consent(session: Session, app: SmartAbsen, *, name: str, code: str, given: bool) -> bool:
    """Return whether a person agrees to be enrolled: said on the command line, or asked on a terminal with the text.

    Nothing is asked where it is not demanded, or was recorded before; without a terminal, the library refuses the face.
    """
    if given or not app.privacy.demands_consent or app.privacy.has_consent(code) or not session.out.can_ask():
        return given
    text = app.privacy.consent_text()
    session.out.tell(text.text)
    return session.out.confirm(_("{name} has read this text (version {version}) and agrees?", name=name,
                                 version=text.version))  # fmt: skip


def consent(value: domain.Consent) -> data.Json:
    """A recorded consent."""
    return {
        "at": value.at.isoformat(),
        "text_version": value.text_version,
        "text_sha256": value.text_sha256,
        "language": value.language,
        "recorded_by": value.recorded_by,
        "withdrawn_at": value.withdrawn_at.isoformat() if value.withdrawn_at else None,
    }


def show_consents(out: Output, consents: tuple[domain.Consent, ...], zone: tzinfo) -> None:
    """Print the consents of one employee; days are those of the site."""
    columns = (
        Column(_("Consent of"), whole=True),
        Column(_("Text"), whole=True),
        Column("SHA-256", whole=True),
        Column(_("Recorded by")),
        Column(_("Withdrawn"), whole=True),
    )
    rows = [
        (
            f"{each.at.astimezone(zone):%Y-%m-%d}",
            f"{each.text_version} ({each.language})",
            each.text_sha256[:12],
            each.recorded_by,
            f"{each.withdrawn_at.astimezone(zone):%Y-%m-%d}" if each.withdrawn_at else "",
        )
        for each in consents
    ]
    out.table(columns, rows, empty=_("No consent to face recognition is recorded."))


def key_init(value: KeyInit) -> data.Json:
    """What came of ``keys init``."""
    return {
        "active": value.active,
        "place": value.place,
        "made": value.made,
        "discarded": value.discarded,
    }


def show_key_init(out: Output, value: KeyInit) -> None:
    """Print what came of ``keys init``."""
    made = N_("The key {key} was made in {place}.") if value.made else N_("The key {key} is in {place} already.")
    out.line(_(made, key=value.active, place=value.place))
    if value.discarded:
        out.line(_("{count} rows were deleted that nothing opens any more.", count=value.discarded))
    if value.made:
        out.note(_("Keep a copy of it in another place than the backups."))


def key_rotation(value: KeyRotation) -> data.Json:
    """What came of ``keys rotate``."""
    return {
        "active": value.active,
        "place": value.place,
        "made": value.made,
        "rows": value.rows,
        "left": value.left,
        "model": value.model,
        "forgotten": list(value.forgotten),
    }


def show_key_rotation(out: Output, value: KeyRotation) -> None:
    """Print what came of ``keys rotate``."""
    made = N_("The key {key} was made in {place}.") if value.made else N_("The key {key} is in {place} already.")
    out.line(_(made, key=value.active, place=value.place))
    out.line(_("{count} rows were sealed anew.", count=value.rows))
    if value.forgotten:
        out.line(_("Dropped: {keys}.", keys=", ".join(value.forgotten)))
    if value.made:
        out.note(_("Keep a copy of it in another place than the backups."))


def key_check(value: KeyCheck) -> data.Json:
    """What came of ``keys check``."""
    return {
        "place": value.place,
        "keys": [
            {"id": key.id, "active": key.active, "made_at": key.made_at.isoformat() if key.made_at else None}
            for key in value.keys
        ],
        "others_can_read": value.others_can_read,
        "templates": value.templates,
        "crops": value.crops,
        "broken": [
            {
                "kind": row.kind,
                "id": row.id,
                "code": row.code,
                "name": row.name,
                "problem": row.problem,
                "key": row.key_id,
                "belongs_to": row.belongs_to or None,
            }
            for row in value.broken
        ],
        "old": value.old,
        "model": value.model,
        "deleted": value.deleted,
    }


def _problem(row: BrokenSeal) -> str:
    if row.belongs_to:
        return _("moved from {code}", code=row.belongs_to)
    return _(_PROBLEMS[row.problem])


def show_key_check(out: Output, value: KeyCheck, zone: tzinfo) -> None:
    """Print what came of ``keys check``."""
    columns = (
        Column(_("Key"), whole=True),
        Column(_("Made"), whole=True),
        Column(_("Active"), whole=True),
        Column(_("Templates"), number=True),
        Column(_("Kept faces"), number=True),
    )
    known = {key.id for key in value.keys}
    others = sorted({*value.templates, *value.crops} - known)
    rows: list[tuple[str | Cell, ...]] = [
        (
            key.id,
            f"{key.made_at.astimezone(zone):%Y-%m-%d}" if key.made_at else "",
            _("yes") if key.active else "",
            str(value.templates.get(key.id, 0)),
            str(value.crops.get(key.id, 0)),
        )
        for key in value.keys
    ]
    rows += [
        (
            Cell(name or _("not sealed"), "red"),
            "",
            "",
            str(value.templates.get(name, 0)),
            str(value.crops.get(name, 0)),
        )
        for name in others
    ]
    out.line(value.place)
    out.table(columns, rows, empty=_("There is no key yet: the first enrolment makes it."))
    out.line(_("Trained model: {state}", state=_(_MODEL_STATES[value.model])))
    if value.others_can_read:
        out.warn(_("Others can read the key file {place}.", place=value.place))
    if value.broken:
        out.line()
        titles = (Column(_("Row"), whole=True), Column(_("Code"), whole=True), Column(_("Name")), Column(_("Problem")))
        broken = [(f"{row.kind} {row.id}", row.code, row.name, Cell(_problem(row), "red")) for row in value.broken]
        out.table(titles, broken)
    if value.old:
        out.warn(_("{count} seals are of an earlier version; “smartabsen keys rotate” renews them.", count=value.old))
    if value.deleted:
        out.line(_("{count} rows were deleted.", count=value.deleted))


def exported(value: PersonExport) -> data.Json:
    """What was exported."""
    return {
        "directory": str(value.directory),
        "files": list(value.files),
        "rows": value.rows,
        "faces_missing": _(value.faces_missing),
    }


def show_export(out: Output, value: PersonExport) -> None:
    """Print what was exported."""
    _show_rows(out, value.rows)
    out.line(str(value.directory))


def erasure_plan(value: ErasurePlan) -> data.Json:
    """What an erasure would do."""
    return {
        "employee": data.employee(value.employee),
        "scope": value.scope,
        "attendance": value.attendance,
        "rows": value.rows,
        "dry_run": True,
    }


def show_erasure_plan(out: Output, value: ErasurePlan) -> None:
    """Print what an erasure would do."""
    _show_rows(out, value.rows)
    attendance = {
        "pseudonymise": N_("Attendance stays under a pseudonym."),
        "delete": N_("Attendance is deleted, too."),
        "": N_("The person stays and punches by hand."),
    }
    out.line(_(attendance[value.attendance]))
    out.note(_("Nothing was changed."))


def erased(value: Erasure) -> data.Json:
    """What an erasure did."""
    return {
        "pseudonym": value.pseudonym,
        "rows": value.rows,
        "log_lines": value.log_lines,
        "log_files": value.log_files,
        "dry_run": False,
    }


def show_erased(out: Output, value: Erasure) -> None:
    """Print what an erasure did."""
    _show_rows(out, value.rows)
    if value.pseudonym:
        out.line(_("Attendance that stays is that of {pseudonym} now.", pseudonym=value.pseudonym))
    out.note(_("Older backups still have this person; a restore erases them again."))


def purged(value: Purge) -> data.Json:
    """What a purge deleted, or would."""
    return {
        "faces_of": [data.person(each) for each in value.faces_of],
        "crops": value.crops,
        "attendance_before": value.attendance_before.isoformat() if value.attendance_before else None,
        "attendance": value.attendance,
        "log_files": value.log_files,
        "log_copies": value.log_copies,
        "refused": value.refused,
        "security_logs": value.security_logs,
        "evaluated": value.evaluated,
        "dry_run": value.dry_run,
    }


def show_purged(out: Output, value: Purge) -> None:
    """Print what a purge deleted, or would."""
    if value.empty:
        out.line(_("Nothing is kept longer than the retention periods say."))
        return
    rows = [
        (_("Faces of people who left"), ", ".join(f"{each.name} ({each.code})" for each in value.faces_of)),
        (_("Kept faces"), str(value.crops)),
        (_("Attendance before {date}", date=value.attendance_before or "-"), str(sum(value.attendance.values()))),
        (_("Log files"), str(value.log_files)),
        (_("Old copies of log files"), str(value.log_copies)),
        (_("Punches kept aside on this machine"), str(value.refused)),
        (_("Files of the security log"), str(value.security_logs)),
        (_("Faces of evaluated photos"), str(value.evaluated)),
    ]
    out.table((Column(_("Kept too long")), Column(_("Count"))), rows)
    out.note(_("Nothing was deleted.") if value.dry_run else _("All of it was deleted."))


def reembedded(value: ReembedReport) -> data.Json:
    """What came of a change of the engine."""
    return {
        "from": str(value.before),
        "to": str(value.after),
        "embedded": value.embedded,
        "templates": value.templates,
        "leave_one_out_accuracy": {"from": value.accuracy_before, "to": value.accuracy_after},
        "recognised_share": {"from": value.recognised_before, "to": value.recognised_after},
        "differences": [
            {
                "employee": data.person(each.employee),
                "photos": each.photos,
                "recognised": {"from": each.recognised_before, "to": each.recognised_after},
                "taken_for": {"from": data.person(each.taken_for_before), "to": data.person(each.taken_for_after)},
            }
            for each in value.differences
        ],
        "without_crops": [data.person(each) for each in value.without_crops],
        "switched": value.switched,
        "deleted": value.deleted,
        "training": training_view.as_json(value.training) if value.training else None,
    }


def show_reembedded(out: Output, value: ReembedReport) -> None:
    """Print what came of a change of the engine."""
    columns = (Column(_("Measure"), whole=True), Column(str(value.before)), Column(str(value.after)))
    rows = [
        (_("Nearest photo is of the same person"), _share(value.accuracy_before), _share(value.accuracy_after)),
        (_("Would be recognised"), _share(value.recognised_before), _share(value.recognised_after)),
    ]
    out.table(columns, rows)
    if value.differences:
        out.line()
        titles = (
            Column(_("Decided differently")),
            Column(_("Code"), whole=True),
            Column(_("Before"), whole=True),
            Column(_("After"), whole=True),
        )
        out.table(
            titles,
            [
                (
                    each.employee.name,
                    each.employee.code,
                    _decided(each.recognised_before, each.photos, each.taken_for_before),
                    _decided(each.recognised_after, each.photos, each.taken_for_after),
                )
                for each in value.differences
            ],
        )
    if value.without_crops:
        out.line()
        out.table(
            (Column(_("Need new photos")), Column(_("Code"), whole=True)),
            [(each.name, each.code) for each in value.without_crops],
        )
    if value.switched:
        out.line(_("The engine is changed. Start kiosks and servers again."), "green")


def _decided(recognised: int, photos: int, other: domain.Employee | None) -> str:
    share = f"{recognised}/{photos}"
    return share if other is None else f"{share}, " + _("taken for {name}", name=other.name)


def _share(value: float | None) -> str:
    return _("not measured") if value is None else percent(value)


def _show_rows(out: Output, rows: dict[str, Any]) -> None:
    out.table((Column(_("Table"), whole=True), Column(_("Rows"), number=True)), [(k, str(v)) for k, v in rows.items()])
