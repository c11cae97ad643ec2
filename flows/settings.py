"""The only reader of the environment. Secrets stay ``SecretStr``; nothing is read at import."""

from __future__ import annotations

import getpass
import ipaddress
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SERVER_PASSWORD, CLIENT_PASSWORD = "PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"
RUNS_KEPT_DAYS = 90  # in Prefect's own database; what was done stays in ours


class SettingMissing(Exception):
    """A secret that evenreach.yaml names is not there. Holds its name, never its value."""

    retryable = False
    remedy = "Set the variable in the environment or in .env; evenreach.yaml only names it."


class PasswordMissing(SettingMissing):
    """A Prefect server that other machines reach has no sign-in."""

    remedy = "Set the variable in the environment of this command (the server's and the client's must be the same)."


class Settings(BaseSettings):
    """What may come from the environment or ``.env``. Everything else is in ``evenreach.yaml``."""

    model_config = SettingsConfigDict(env_prefix="EVENREACH_", env_file=".env", extra="ignore")

    workspace: Path = Path(".")
    who: str = ""  # name written to the audit log; default: the operating system's user
    linkedin_client_id: str = ""
    linkedin_client_secret: SecretStr = SecretStr("")
    linkedin_access_token: SecretStr = SecretStr("")
    google_credentials_file: Path | None = None
    google_client_id: str = ""
    google_client_secret: SecretStr = SecretStr("")
    google_refresh_token: SecretStr = SecretStr("")
    slack_webhook: SecretStr = SecretStr("")
    webhook: SecretStr = SecretStr("")
    smtp_host: str = "localhost"
    smtp_port: int = 25
    smtp_starttls: bool = False
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""  # sender of alerts; default: the first recipient

    def named(self, reference: str) -> SecretStr:
        """The secret behind ``env:NAME``, from the environment or ``.env``.

        Raises SettingMissing when there is none, or when the secret itself stands where its name should.
        """
        start, _, name = reference.partition(":")
        if start != "env" or not name:
            raise SettingMissing("a secret stands in evenreach.yaml in clear; write env:NAME there")
        value = os.environ.get(name) or (dotenv_values(".env").get(name) if Path(".env").is_file() else "")
        if not value:
            raise SettingMissing(f"{name} is not set in the environment")
        return SecretStr(value)

    def person(self) -> str:
        """Who is acting, for the audit log."""
        if self.who:
            return self.who
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's user without a name
            return "unknown"


def prepare_prefect(home: Path) -> None:
    """Set Prefect's defaults before its first import. The user's own environment wins.

    Analytics are off; the temporary server gets time to start on a busy machine
    (its own default of 20 s is too short there).
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    defaults = {
        "PREFECT_HOME": str(home.absolute()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "audiences,platforms,balancer,flows",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",  # what the page logs belongs to no run
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def own_python_first() -> None:
    """Let ``python`` mean this interpreter in whatever this process becomes or starts."""
    here, before = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([here, before])


def prefect_server_configured() -> bool:
    """Whether a Prefect server is named in the environment, so that runs should be recorded there."""
    return bool(os.environ.get("PREFECT_API_URL"))


def use_prefect_server(url: str, *, authorities: Path) -> None:
    """Send this process's flow runs to ``url``, a server of ours. Call before the first import of Prefect.

    ``authorities`` is the file of certificate authorities Prefect's clients load. Plain loopback needs none,
    and loading the usual hundred and fifty costs 20 ms for every flow and task.
    """
    os.environ["PREFECT_API_URL"] = url
    os.environ.setdefault("PREFECT_API_SSL_CERT_FILE", str(authorities))
    password = os.environ.get(SERVER_PASSWORD)
    if password:
        os.environ.setdefault(CLIENT_PASSWORD, password)


def server_environment(**extra: str) -> dict[str, str]:
    """The environment for a Prefect server started by us: this one's over our defaults, with ``extra`` on top.

    Prefect drops old runs, with their logs and artifacts, only where it is told to; events it drops after a week.
    """
    kept = {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(RUNS_KEPT_DAYS * 86_400),
        # in memory, the place of a run that a stop cut off would be lost with the server, and never be given back
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }
    return {**kept, **os.environ, **extra}


def prefect_server_url() -> str:
    """Where this process's flow runs are recorded."""
    return os.environ.get("PREFECT_API_URL", "")


def require_server_password(host: str) -> None:
    """Raises PasswordMissing when a Prefect server would listen on ``host`` for other machines without a sign-in."""
    if not on_this_machine(host) and not os.environ.get(SERVER_PASSWORD):
        raise PasswordMissing(
            f"Prefect's server would listen on {host} without a sign-in; set {SERVER_PASSWORD}=user:password"
        )


def require_client_password(url: str) -> None:
    """Raises PasswordMissing when ``url`` is a Prefect server elsewhere and no sign-in for it is set."""
    host = urlsplit(url).hostname or ""
    signed = os.environ.get(CLIENT_PASSWORD) or os.environ.get("PREFECT_API_KEY")
    if not on_this_machine(host) and not signed:
        raise PasswordMissing(
            f"the Prefect server on {host} is not this machine's; set {CLIENT_PASSWORD}=user:password"
        )


def on_this_machine(host: str) -> bool:
    """Whether only this machine can reach a server on ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
