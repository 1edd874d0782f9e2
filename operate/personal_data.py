"""The key that turns personal data into hashes, handed to DuckDB without passing through SQL text.

dbt-duckdb loads `Plugin` (see profiles.yml) and lets it prepare each cursor. The two HMAC pads derived from the key
become session variables, which the macro `keyed_hash` reads by name. So compiled SQL, artifacts and logs
hold the variables' names and never the key.

The key is `PII_KEY` from the environment. Without it, one is made once and kept in `.secrets/pii_key`, readable by
its owner alone: good for the sample company and a laptop; a company sets its own and keeps it, since another key
gives every hash another value.
"""

import hashlib
import os
import secrets
from pathlib import Path

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from operate.paths import KEY_FILE

BLOCK_BYTES = 64  # SHA-256 works on blocks of 64 bytes; HMAC pads its key to one (RFC 2104).


def pii_key(key_file: Path = KEY_FILE) -> bytes:
    """Return the key: `PII_KEY`, else what `key_file` holds, else a new random one written there with mode 0600.

    Raises `ValueError` when a key is set but shorter than 16 characters: such a key can be guessed.
    """
    from_environment = os.environ.get("PII_KEY")
    if from_environment:
        if len(from_environment) < 16:
            raise ValueError("PII_KEY is shorter than 16 characters. Set a longer one: openssl rand -hex 32")
        return from_environment.encode()
    if not key_file.exists():
        key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return key_file.read_text().strip().encode()


def hmac_pads(key: bytes) -> tuple[bytes, bytes]:
    """Return HMAC-SHA-256's inner and outer pad for `key`, 64 bytes each (RFC 2104, section 2)."""
    if len(key) > BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    block = key.ljust(BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)


class Plugin(BasePlugin):
    """dbt-duckdb's hook: gives every cursor the two pads as session variables."""

    def initialize(self, plugin_config: dict) -> None:
        """Read the key once for the whole dbt run."""
        self._inner, self._outer = hmac_pads(pii_key())

    def configure_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Set `pii_inner_pad` and `pii_outer_pad` for this cursor; a cursor does not inherit its parent's."""
        cursor.execute(f"set variable pii_inner_pad = unhex('{self._inner.hex()}')")
        cursor.execute(f"set variable pii_outer_pad = unhex('{self._outer.hex()}')")
