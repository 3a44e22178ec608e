"""What is measured: one gateway's settings, the people whom it knows, and the messages they send."""

from pathlib import Path

from gateway.configuration.loading import load
from gateway.settings import Settings

ACCOUNT = "acme"
ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "bench-auth-token-0000000000000000"
SENDER = "+15550100199"
PROGRAM = "offers"
WORKERS = 2

_FIRST_NUMBER = 2_000_000_000
_SETTINGS = """\
[server]
bind = "127.0.0.1:{port}"
public_url = "http://127.0.0.1:{port}"
workers = {workers}
log_level = "warning"

[database]
url = "{database}"
sqlite_cache_mib = {cache_mib}

[keys]
master = "a master secret for measuring, and for nothing else"

[accounts.{account}]
provider = "twilio"
account_sid = "{account_sid}"
auth_tokens = ["{auth_token}"]
provider_replies = "none"

[programs.{program}]
name = "Bench Shop"
purpose = "marketing"
default_choice = "n"
senders = ["{sender}"]
contact = "help@shop.example"

[limits]
group = {group}
"""


def number(person: int) -> str:
    """Return the phone number of the person with this index, E.164."""
    return f"+1{_FIRST_NUMBER + person}"


def mailbox(person: int) -> str:
    """Return the mailbox of the person with this index."""
    return f"person{person:07d}@mail.example"


def write_settings(path: Path, database: str, *, port: int, cache_mib: int = 64, group: int = 128) -> Path:
    """Write the settings of a gateway on this database and port. What is not named has its default."""
    values = {"account": ACCOUNT, "account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "sender": SENDER}
    path.write_text(
        _SETTINGS.format(
            **values,
            program=PROGRAM,
            workers=WORKERS,
            port=port,
            database=database,
            cache_mib=cache_mib,
            group=group,
        )
    )
    return path


def settings_of(path: Path) -> Settings:
    """Return the settings of a file, untouched by the environment."""
    return load(path, {})
