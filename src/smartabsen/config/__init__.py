"""Settings: :mod:`.sections` says what there is, :mod:`.loading` reads them."""

from .loading import CREDENTIAL_ORIGIN, ENV_PREFIX, FILE_NAME, LoadedSettings, env_name, load_settings, mask_url
from .sections import LivenessSettings, Network, ServerSettings, Settings, SignInSettings, parse_networks

__all__ = [
    "CREDENTIAL_ORIGIN",
    "ENV_PREFIX",
    "FILE_NAME",
    "LivenessSettings",
    "LoadedSettings",
    "Network",
    "ServerSettings",
    "Settings",
    "SignInSettings",
    "env_name",
    "load_settings",
    "mask_url",
    "parse_networks",
]
