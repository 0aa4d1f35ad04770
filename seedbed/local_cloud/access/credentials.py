"""The access key of one home: random, kept in the home, and the only one that its local cloud accepts."""

import configparser
import hashlib
import hmac
import io
import os
import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path

from ..private_file import write_private

FILE = "credentials"
CURL_FILE = "curl.conf"
ACCOUNT = "000000000000"
KEY_PREFIX = "SEEDBED"
KEY_LENGTH = 20
SECRET_BYTES = 30


@dataclass(frozen=True)
class Credentials:
    """An access key and its secret key, which the object's repr hides."""

    access_key: str
    secret_key: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """The environment variables that AWS's tools read."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    @classmethod
    def from_environment(cls) -> "Credentials":
        """The credentials in this process's environment."""
        return cls(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])

    def derived(self, *words: str) -> str:
        """64 hexadecimal digits, the same for the same words, that nobody can tell without the secret key."""
        return hmac.new(self.secret_key.encode(), "\n".join(words).encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class RoleSession:
    """The temporary keys of the execution role of people's programs, derived from the home's own."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(repr=False)

    @classmethod
    def of(cls, home: Credentials) -> "RoleSession":
        """The same keys as long as the home has its own."""
        key, secret, token = (home.derived(word, "execution role") for word in ("key", "secret", "token"))
        return cls(f"ASIA{key[:16].upper()}", secret, token)

    def environment(self) -> dict[str, str]:
        """The environment variables that AWS's tools read."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }


def credentials_of(home: Path, region: str) -> Credentials:
    """The home's credentials, created if it has none or they can't be read.

    They are kept as a shared credentials file for AWS's tools, and as a configuration file for `curl -K`. Only their
    owner can read them.
    """
    credentials = _read(home / FILE)
    if credentials is None:
        letters = string.ascii_uppercase + string.digits
        random_part = "".join(secrets.choice(letters) for _ in range(KEY_LENGTH - len(KEY_PREFIX)))
        credentials = Credentials(KEY_PREFIX + random_part, secrets.token_urlsafe(SECRET_BYTES))
    user = f"{credentials.access_key}:{credentials.secret_key}"
    for path, text in {
        home / FILE: _shared_file(credentials, region),
        home / CURL_FILE: f'user = "{user}"\naws-sigv4 = "aws:amz:{region}:execute-api"\n',
    }.items():
        if not _holds(path, text):
            write_private(path, text)
    return credentials


def _read(path: Path) -> Credentials | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        profile = parser["default"]
        access_key, secret_key = profile["aws_access_key_id"], profile["aws_secret_access_key"]
    except (OSError, ValueError, KeyError, configparser.Error):
        return None
    sound = access_key.startswith(KEY_PREFIX) and len(access_key) == KEY_LENGTH and len(secret_key) >= SECRET_BYTES
    return Credentials(access_key, secret_key) if sound else None


def _shared_file(credentials: Credentials, region: str) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    parser["default"] = {
        "aws_access_key_id": credentials.access_key,
        "aws_secret_access_key": credentials.secret_key,
        "region": region,
    }
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _holds(path: Path, text: str) -> bool:
    """Whether the file is up to date: a write could fail on a full disk."""
    try:
        return path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == text.encode()
    except OSError:
        return False
