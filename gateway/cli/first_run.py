"""What `gateway serve` makes when it finds no configuration: a folder that holds all of a small gateway."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

DATA = Path("var")
DEMO_SENDER = "+15550100100"
DEMO_ACCOUNT = "demo-twilio"

_TEMPLATE = """\
# Made by `gateway serve` at its first run. Everything of this gateway is in this folder: keep it together
# and keep it private. config/gateway.example.toml explains every setting.

[server]
bind = "{bind}"
public_url = "http://{bind}"

[database]
url = "sqlite:///{folder}/gateway.sqlite3"

[keys]
# Never change it while you keep the database: subjects and the ledger's chain are made with it.
master = "{master}"

# A connection for trying things out. Replace it with your own account of Twilio.
[accounts.{account}]
provider = "twilio"
account_sid = "{account_sid}"
auth_tokens = ["{auth_token}"]
provider_replies = "none"

[programs.offers]
name = "Demo Shop"
purpose = "marketing"
default_choice = "y"
senders = ["{sender}"]
contact = "help@shop.example"
"""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder of a gateway that was set up by itself."""

    path: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.path / "gateway.toml"

    @property
    def token(self) -> Path:
        """The first operator token."""
        return self.path / "operator-token"

    @property
    def metrics(self) -> Path:
        """Counters of the running processes."""
        return self.path / "metrics"

    def prepare(self, bind: str) -> bool:
        """Write the settings unless they are there; return whether they are new."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.config.exists():
            return False
        text = _TEMPLATE.format(
            bind=bind,
            folder=self.path,
            master=secrets.token_urlsafe(48),
            account=DEMO_ACCOUNT,
            account_sid="AC" + secrets.token_hex(16),
            auth_token=secrets.token_hex(16),
            sender=DEMO_SENDER,
        )
        write_private(self.config, text)
        return True


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
