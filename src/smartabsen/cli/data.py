"""From domain to JSON: the shapes that scripts get under ``data``. Embeddings are in none of them.

Instants are ISO 8601 with an offset; ``jam_masuk`` and ``jam_pulang`` are local times of the site, as in the database.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeAlias

from .. import domain
from ..messages import describe_verdict, fill

Json: TypeAlias = dict[str, Any]


def person(employee: domain.Employee | None) -> Json | None:
    """Code and name, or null."""
    return None if employee is None else {"code": employee.code, "name": employee.name}


def employee(value: domain.Employee) -> Json:
    """An employee."""
    return {
        "code": value.code,
        "name": value.name,
        "position": value.position,
        "active": value.active,
        "templates": value.templates,
        "created_at": _instant(value.created_at),
    }


def template(value: domain.TemplateFacts) -> Json:
    """A template without its embedding."""
    return {
        "id": value.id,
        "source": value.source,
        "model": str(value.model),
        "photo_digest": value.photo_digest,
        "quality": quality(value.quality),
    }


def quality(value: domain.Quality | None) -> Json | None:
    """Measures of a face, or null."""
    if value is None:
        return None
    return {
        "face_px": _number(value.face_px, 1),
        "brightness": _number(value.brightness, 1),
        "sharpness": _number(value.sharpness, 1),
        "yaw": _number(value.yaw, 3),
        "detection_score": _number(value.detection_score, 4),
        "covered": value.covered,
    }


def photo(value: domain.PhotoVerdict) -> Json:
    """What became of a photo at enrolment."""
    message, hint = describe_verdict(value)
    return {
        "photo": value.photo,
        "outcome": value.outcome.value,
        "quality": quality(value.quality),
        "message": message,
        "hint": hint,
        "similar_to": person(value.similar_to),
        "copy_of": value.copy_of,
        "unlike_others": _number(value.unlike_others, 4),
    }


def enrolment(report: domain.EnrolReport) -> Json:
    """The result of enrolling one person."""
    return {
        "employee": employee(report.employee),
        "created": report.created,
        "accepted": report.accepted,
        "photos": [photo(verdict) for verdict in report.verdicts],
        "advice": [each.value for each in report.advice],
    }


def imported(report: domain.ImportReport) -> Json:
    """The result of an import."""
    counts = {verdict.value: report.count(verdict) for verdict in domain.ImportVerdict}
    rows = [
        {
            "line": row.line,
            "code": row.code,
            "name": row.name,
            "position": row.position,
            "verdict": row.verdict.value,
            "reason": row.reason,
            "message": fill(row.detail, row.params),
            "photos": [photo(verdict) for verdict in row.photos],
        }
        for row in report.rows
    ]
    return {**counts, "dry_run": report.dry_run, "interrupted": report.interrupted, "rows": rows}


def training(report: domain.TrainReport) -> Json:
    """The result of a training."""
    return {
        "engine": report.model.engine,
        "model": str(report.model),
        "version": report.version,
        "trained_at": _instant(report.trained_at),
        "matcher": report.matcher,
        "chosen_matcher": report.chosen_matcher,
        "k": report.k,
        "employees": report.employees,
        "templates": report.templates,
        "threshold": _number(report.threshold, 4),
        "margin": _number(report.margin, 4),
        "leave_one_out_accuracy": _number(report.leave_one_out_accuracy, 6),
        "recognised_share": _number(report.recognised_share, 6),
        "tried": report.tried,
        "min_accuracy": report.min_accuracy,
        "activated": report.activated,
        "calibrated": report.calibrated,
        "gate_share": _number(report.gate_share, 6),
        "damaged": [{"template": one.id, "code": one.code, "name": one.name} for one in report.damaged],
        "people": [
            {
                "code": p.employee.code,
                "name": p.employee.name,
                "tried": p.tried,
                "correct": p.correct,
                "recognised": p.recognised,
            }
            for p in report.people
        ],
        "confused": [
            {
                "employee": person(each.employee),
                "taken_for": person(each.taken_for),
                "count": each.count,
                "similarity": _number(each.similarity, 4),
            }
            for each in report.confused
        ],
        "mixed": [
            {
                "employee": person(each.employee),
                "sources": list(each.sources),
                "similarity": _number(each.similarity, 4),
            }
            for each in report.mixed
        ],
        "suspects": [
            {
                "employee": person(each.employee),
                "source": each.source,
                "looks_like": person(each.looks_like),
                "similarity_own": _number(each.similarity_own, 4),
                "similarity_other": _number(each.similarity_other, 4),
            }
            for each in report.suspects
        ],
        "single_template": [person(each) for each in report.single_template],
    }


def image(result: domain.ImageResult) -> Json:
    """Who is in one picture; ``outcome`` is null when it could be read."""
    return {
        "image": result.image,
        "outcome": result.outcome.value if result.outcome else None,
        "message": fill(result.detail, result.params),
        "faces": [
            {
                "box_xyxy": [_number(side, 1) for side in face.face.box_xyxy],
                "outcome": face.outcome.value,
                "employee": person(face.employee),
                "similarity": _number(face.similarity, 4),
                "margin": _number(face.margin, 4),
            }
            for face in result.faces
        ],
    }


def phone(value: domain.PairedPhone | None) -> Json | None:
    """A paired phone, or null."""
    if value is None:
        return None
    return {
        "id": value.id,
        "employee": person(value.employee),
        "label": value.label,
        "paired_at": _instant(value.created_at),
        "last_used_at": None if value.last_used_at is None else _instant(value.last_used_at),
    }


def pairing(value: domain.Pairing, paired: domain.PairedPhone | None) -> Json:
    """An invitation to pair a phone, and the phone that used it up."""
    return {
        "employee": person(value.employee),
        "url": value.url,
        "expires_at": _instant(value.expires_at),
        "phone": phone(paired),
    }


def punched(result: domain.PunchResult, message: str) -> Json:
    """The answer to a punch, with the sentence that greets the person."""
    return {
        "outcome": result.outcome.value,
        "employee": person(result.employee),
        "at": _instant(result.punch.at),
        "method": result.punch.method.value,
        "date": result.day.work_date.isoformat(),
        "status": result.day.status.value,
        "late_minutes": result.day.late_minutes,
        "message": message,
    }


def decision(event: domain.KioskEvent, message: str) -> Json:
    """One line of a kiosk: a decision on a person."""
    result = event.result
    return {
        "event": event.kind.value,
        "outcome": event.outcome.value if event.outcome else None,
        "employee": person(result.employee if result else event.employee),
        "at": _instant(event.at),
        "date": result.day.work_date.isoformat() if result else None,
        "status": result.day.status.value if result else None,
        "similarity": _number(event.similarity, 4),
        "covered": event.covered,
        "track": event.track,
        "message": message,
    }


def prompt(event: domain.KioskEvent, message: str) -> Json:
    """One line of a kiosk: what the person of a track is asked to do, to prove that they are there."""
    return {
        "event": event.kind.value,
        "prompt": event.prompt.value if event.prompt else None,
        "at": _instant(event.at),
        "track": event.track,
        "message": message,
    }


def kiosk_summary(summary: domain.KioskSummary) -> Json:
    """The last line of a kiosk."""
    return {
        "event": domain.KioskEventKind.SUMMARY.value,
        "frames": summary.frames,
        "seconds": _number(summary.seconds, 2),
        "recorded": summary.recorded,
        "already_recorded": summary.already_recorded,
        "refused": summary.refused,
        "pending": summary.pending,
        "lost": summary.lost,
        "reason": summary.reason,
    }


def attendance(report: domain.Report) -> Json:
    """Days and totals of a report."""
    days = [
        {
            "code": day.code,
            "name": day.name,
            "date": day.work_date.isoformat(),
            "jam_masuk": _clock(day.clock_in),
            "jam_pulang": _clock(day.clock_out),
            "status": day.status.value,
            "late_minutes": day.late_minutes,
            "worked_minutes": day.worked_minutes,
        }
        for day in report.days
    ]
    totals = [
        {
            "code": total.code,
            "name": total.name,
            "present": total.present,
            "late": total.late,
            "excused": total.excused,
            "sick": total.sick,
            "late_minutes": total.late_minutes,
            "worked_minutes": total.worked_minutes,
        }
        for total in report.totals
    ]
    period = {"from": report.first.isoformat(), "to": report.last.isoformat(), "zone": report.zone}
    return {**period, "days": days, "totals": totals}


def user(value: domain.User) -> Json:
    """A user of the dashboard."""
    return {
        "name": value.name,
        "role": value.role.value,
        "active": value.active,
        "created_at": _instant(value.created_at),
        "last_login_at": _instant(value.last_login_at) if value.last_login_at else None,
        "locked_until": _instant(value.locked_until) if value.locked_until else None,
    }


def model(status: domain.ModelStatus) -> Json:
    """A model pack and its copy on this machine."""
    return {
        "name": status.name,
        "engine": status.engine,
        "purpose": status.purpose,
        "licence": status.licence,
        "licence_class": status.licence_class.value,
        "source": status.source,
        "dimension": status.dimension,
        "claimed": status.claimed,
        "state": status.state,
        "path": status.path,
        "files": [
            {"name": name, "sha256": digest, "published_sha256": published or None}
            for name, digest, published in status.compared_files()
        ],
    }


def check(value: domain.Check) -> Json:
    """One row of doctor."""
    return {
        "name": value.name,
        "level": value.level.value,
        "detail": fill(value.detail, value.params),
        "fix": fill(value.fix, value.params),
    }


def setting(value: domain.SettingValue) -> Json:
    """A setting: its value is a JSON scalar."""
    plain = value.value if isinstance(value.value, bool | int | float | None) else str(value.value)
    return {"name": value.name, "value": plain, "origin": value.origin, "about": value.about}


def _instant(value: datetime) -> str:
    return value.isoformat()


def _clock(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%H:%M:%S}"


def _number(value: float | None, digits: int) -> float | None:
    # numpy's numbers are no JSON numbers, and a cosine has no sixteen digits.
    return None if value is None else round(float(value), digits)
