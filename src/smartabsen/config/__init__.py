"""Settings: :mod:`.sections` says what there is, :mod:`.loading` reads them."""

from .loading import ENV_PREFIX, FILE_NAME, LoadedSettings, env_name, load_settings, mask_url
from .sections import Network, ServerSettings, Settings, SignInSettings, parse_networks

__all__ = [
    "ENV_PREFIX",
    "FILE_NAME",
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
