"""What leaves the program: one frozen schema for each thing, of which ``--json`` and the answers of the web are made.

``tests/wire/schema.json`` holds them all as JSON Schema, so that a change is seen.
"""

from .attendance import Attendance, CameraEvent, Decision, KioskSummary, Prompt, Punched, ReportDay, ReportTotal
from .base import Wire
from .installation import Check, Model, OpenSession, Pairing, Phone, Setting, User
from .people import Duplicates, Employee, EnrolledPhoto, Enrolment, Imported, Person, Photo, Quality, Template
from .recognition import AutomaticLimits, Calibration, Gate, Image, Rate

__all__ = [
    "Attendance",
    "AutomaticLimits",
    "Calibration",
    "CameraEvent",
    "Check",
    "Decision",
    "Duplicates",
    "Employee",
    "EnrolledPhoto",
    "Enrolment",
    "Gate",
    "Image",
    "Imported",
    "KioskSummary",
    "Model",
    "OpenSession",
    "Pairing",
    "Person",
    "Phone",
    "Photo",
    "Prompt",
    "Punched",
    "Quality",
    "Rate",
    "ReportDay",
    "ReportTotal",
    "Setting",
    "Template",
    "User",
    "Wire",
]
