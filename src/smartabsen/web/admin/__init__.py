"""The pages of the administrators, under ``/admin``: each module registers the routes of one subject."""

from . import account, attendance, audit, corrections, employees, leave, login, phones, refusals, system, today, users
from .blueprint import blueprint

__all__ = [
    "account",
    "attendance",
    "audit",
    "blueprint",
    "corrections",
    "employees",
    "leave",
    "login",
    "phones",
    "refusals",
    "system",
    "today",
    "users",
]
