"""From domain to JSON: the shapes that scripts get under ``data``. Embeddings are in none of them.

Instants are ISO 8601 with an offset; ``jam_masuk`` and ``jam_pulang`` are local times of the site, as in the database.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ..kernel import domain
from ..kernel.messages import describe_verdict, fill

if TYPE_CHECKING:
    from ..gallery.duplicates import DuplicateReport

Json: TypeAlias = dict[str, Any]


def person(employee: domain.Employee | None) -> Json | None:
    """Code and name, or null."""
    return None if employee is None else {"code": employee.code, "name": employee.name}


def employee(value: domain.Employee) -> Json:
    """An employee."""
    return {
        "uuid": value.uuid or None,
        "code": value.code,
        "name": value.name,
        "position": value.position,
        "active": value.active,
        "templates": value.templates,
        "created_at": instant(value.created_at),
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


def enrolled_photo(value: domain.EnrolledPhoto) -> Json:
    """A photo that somebody was enrolled with."""
    return {
        "number": value.number,
        "source": value.source,
        "digest": value.digest,
        "enrolled_at": instant(value.enrolled_at),
        "engines": list(value.engines),
        "has_picture": value.has_picture,
        "quality": quality(value.quality),
    }


def quality(value: domain.Quality | None) -> Json | None:
    """Measures of a face, or null."""
    if value is None:
        return None
    return {
        "face_px": number(value.face_px, 1),
        "brightness": number(value.brightness, 1),
        "sharpness": number(value.sharpness, 1),
        "yaw": number(value.yaw, 3),
        "detection_score": number(value.detection_score, 4),
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
        "unlike_others": number(value.unlike_others, 4),
        "turned": value.turned,
        "bystanders": value.bystanders,
        "box_xyxy": None if value.box_xyxy is None else [number(side, 1) for side in value.box_xyxy],
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
    reading = report.reading
    return {
        **counts,
        "dry_run": report.dry_run,
        "interrupted": report.interrupted,
        "sheet": reading.sheet,
        "header_line": reading.header_line,
        "columns": dict(reading.columns),
        "unused_columns": list(reading.unused),
        "hidden_lines": list(reading.hidden_lines),
        "passed_lines": list(reading.passed_lines),
        "unclaimed_files": list(report.unclaimed_files),
        "rows": rows,
    }


def image(result: domain.ImageResult) -> Json:
    """Who is in one picture; ``outcome`` is null when it could be read, ``hidden_by`` the light that hides a face."""
    return {
        "image": result.image,
        "outcome": result.outcome.value if result.outcome else None,
        "message": fill(result.detail, result.params),
        "turned": result.turned,
        "hidden_by": result.hidden_by.value if result.hidden_by else None,
        "faces": [
            {
                "box_xyxy": [number(side, 1) for side in face.face.box_xyxy],
                "outcome": face.outcome.value,
                "employee": person(face.employee),
                "similarity": number(face.similarity, 4),
                "margin": number(face.margin, 4),
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
        "paired_at": instant(value.created_at),
        "last_used_at": None if value.last_used_at is None else instant(value.last_used_at),
    }


def pairing(value: domain.Pairing, paired: domain.PairedPhone | None) -> Json:
    """An invitation to pair a phone, and the phone that used it up."""
    return {
        "employee": person(value.employee),
        "url": value.url,
        "expires_at": instant(value.expires_at),
        "phone": phone(paired),
    }


def punched(result: domain.PunchResult, message: str) -> Json:
    """The answer to a punch, with the sentence that greets the person."""
    return {
        "outcome": result.outcome.value,
        "employee": person(result.employee),
        "at": instant(result.punch.at),
        "method": result.punch.method.value,
        "date": result.day.work_date.isoformat(),
        "status": result.day.status.value,
        "late_minutes": result.day.late_minutes,
        "clock_trusted": result.punch.clock_trusted,
        "clock_offset_s": result.punch.clock_offset_s,
        "message": message,
    }


def decision(event: domain.KioskEvent, message: str) -> Json:
    """One line of a kiosk: a decision on a person."""
    result = event.result
    return {
        "event": event.kind.value,
        "outcome": event.outcome.value if event.outcome else None,
        "employee": person(result.employee if result else event.employee),
        "at": instant(event.at),
        "date": result.day.work_date.isoformat() if result else None,
        "status": result.day.status.value if result else None,
        "similarity": number(event.similarity, 4),
        "covered": event.covered,
        "track": event.track,
        "message": message,
    }


def prompt(event: domain.KioskEvent, message: str) -> Json:
    """One line of a kiosk: what the person of a track is asked to do, to prove that they are there."""
    return {
        "event": event.kind.value,
        "prompt": event.request.prompt.value if event.request else None,
        "stage": event.request.stage.value if event.request else None,
        "step": event.request.step if event.request else None,
        "steps": event.request.steps if event.request else None,
        "at": instant(event.at),
        "track": event.track,
        "employee": person(event.employee),
        "message": message,
    }


def camera_event(event: domain.KioskEvent, message: str) -> Json:
    """One line of a kiosk: its camera gives no picture that is of any use, or gives one again."""
    return {
        "event": event.kind.value,
        "at": instant(event.at),
        "camera": dict(event.params).get("camera"),
        "message": message,
    }


def kiosk_summary(summary: domain.KioskSummary) -> Json:
    """The last line of a kiosk."""
    return {
        "event": domain.KioskEventKind.SUMMARY.value,
        "frames": summary.frames,
        "seconds": number(summary.seconds, 2),
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
            "status": day.status.value if day.status else "absent",
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
            "absent": total.absent,
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
        "created_at": instant(value.created_at),
        "last_login_at": instant(value.last_login_at) if value.last_login_at else None,
        "locked_until": instant(value.locked_until) if value.locked_until else None,
        "must_change_password": value.must_change_password,
        "second_factor": value.has_totp,
    }


def open_session(value: domain.OpenSession) -> Json:
    """A session of a user of the dashboard."""
    return {
        "id": value.id,
        "began_at": instant(value.began_at),
        "last_seen_at": instant(value.last_seen_at),
        "ends_at": instant(value.ends_at),
        "address": value.address,
        "browser": value.label,
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


def instant(value: datetime) -> str:
    """ISO 8601."""
    return value.isoformat()


def _clock(value: datetime | None) -> str | None:
    return None if value is None else f"{value:%H:%M:%S}"


def number(value: float | None, digits: int) -> float | None:
    """A JSON number."""
    # numpy's numbers are no JSON numbers, and a cosine has no sixteen digits.
    return None if value is None else round(float(value), digits)


def rate(value: domain.Rate) -> Json:
    """How often something happened, with the interval of 95 % of its share."""
    return {name: getattr(value, name) for name in ("count", "trials", "share", "low", "high")}


def calibration(record: domain.CalibrationRecord) -> Json:
    """A calibration, and what it was chosen for."""
    return {
        "at": instant(record.at),
        "people": record.people,
        "templates": record.templates,
        "target_fpir": record.target_fpir,
        "threshold": record.threshold,
        "margin": record.margin,
    }


def duplicates(report: DuplicateReport) -> Json:
    """Codes that are perhaps one person."""
    return {
        "searched_at": report.searched_at and instant(report.searched_at),
        "complete": report.complete,
        "threshold": report.threshold,
        "pairs": [
            {"employee": person(each.employee), "other": person(each.other), "similarity": number(each.similarity, 4)}
            for each in report.pairs
        ],
    }


def automatic(limits: domain.AutomaticLimits) -> Json:
    """The threshold that fits the number of people by itself, and what it rests on."""
    return {
        "people": limits.people,
        "target_fpir": limits.target_fpir,
        "threshold": number(limits.threshold, 4),
        "rests_on": limits.basis.value,
        "engine": number(limits.engine, 4),
        "reference": number(limits.reference, 4),
        "own": number(limits.own, 4),
        "verification": number(limits.verification, 4),
        "source": limits.source,
        "pairs": limits.pairs,
        "beyond_reference": limits.is_bound,
    }


def gate(value: domain.Gate) -> Json:
    """What a training asks for, and what was found."""
    return {
        "asks": "rank_1" if value.asks_rank_1 else "recognised",
        "demanded": value.demanded,
        "found": rate(value.rate),
        "passed": value.passed,
        "proven": value.proven,
        "trials_wanted": value.trials_wanted,
    }
