"""Addresses of cameras as people may see them."""

from __future__ import annotations

import re
from typing import Final

# Greedy up to the last @: a password that was not percent-encoded may itself hold @, / or #.
_PASSWORD: Final = re.compile(r"(?<=://)([^:/@]*):.*@")
_WITHOUT_SCHEME: Final = re.compile(r"^([^:/@\s]+):.+@")
_SECRET_FIELD: Final = re.compile(r"(?i)((?:password|passwd|pass|pwd|token|secret|auth|key)=)[^&/]*")


def mask_camera(spec: str) -> str:
    """Return what a person wrote to name a camera, with ``***`` in the place of its password.

    Also where the scheme was forgotten (``admin:word@host``); values of fields like ``pwd=`` and ``token=`` go as well.
    """
    spec = spec.strip()
    if "://" not in spec:
        return _WITHOUT_SCHEME.sub(r"\1:***@", spec)
    return _SECRET_FIELD.sub(r"\1***", _PASSWORD.sub(r"\1:***@", spec))
