"""Personal data stays in raw and staging, and the key that hashes it stays out of everything."""

import hashlib
import hmac
import json

import duckdb
import pytest

from operate.personal_data import hmac_pads, pii_key
from tests.conftest import Build
from tests.proofs.canaries import CANARIES, EMAILS, canaries_in


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, bool]:
    """Return all tables and views, and whether they may hold personal data."""
    names = connection.execute(
        "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
    ).fetchall()
    return {f'"{schema}"."{name}"': schema == "staging" or schema[:4] == "raw_" for schema, name in names}


def test_every_canary_is_found_in_raw_or_staging_and_nowhere_else(company: Build) -> None:
    found: dict[str, set[str]] = {canary: set() for canary in CANARIES}
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        private = tables(connection)
        for table in private:
            for canary in canaries_in(connection, table):
                found[canary].add(table)
    assert list(private.values()).count(False) > 30
    assert [canary for canary, places in found.items() if not any(private[place] for place in places)] == []
    assert [(canary, place) for canary, places in found.items() for place in places if not private[place]] == []


def test_no_artifact_or_log_holds_a_canary_or_the_key(company: Build) -> None:
    files = [path for name in ("target", "logs") for path in (company.folder / name).rglob("*") if path.is_file()]
    assert {"manifest.json", "catalog.json", "run_results.json", "static_index.html", "dbt.log"} <= {
        f.name for f in files
    }
    key = company.pii_key.encode()
    inner, outer = hmac_pads(key)
    secrets = [key, key.hex().encode(), inner.hex().encode(), outer.hex().encode()]
    for path in files:
        content = path.read_bytes()
        assert [word for word in [*secrets, *(c.encode() for c in CANARIES)] if word in content] == [], path


def test_the_hash_is_hmac_sha256_with_the_key_of_the_environment(company: Build) -> None:
    expected = hmac.new(company.pii_key.encode(), EMAILS["guest"].encode(), hashlib.sha256).hexdigest()
    with duckdb.connect(str(company.warehouse), read_only=True) as connection:
        found = connection.execute(
            "select customer_id from intermediate.int_identity__email_owners where email_hash = ?", [expected]
        ).fetchall()
    assert found == [(f"guest-{expected[:16]}",)]


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("PII_KEY", raising=False)
    file = tmp_path / "secrets" / "pii_key"
    assert pii_key(file) == pii_key(file)
    assert len(pii_key(file)) == 64
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_short_key_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PII_KEY", "secret")
    with pytest.raises(ValueError, match="shorter than 16"):
        pii_key(tmp_path / "pii_key")


@pytest.mark.parametrize("key", [b"k" * 16, b"k" * 64, b"k" * 200])
def test_the_pads_give_what_hmac_gives(key: bytes) -> None:
    inner, outer = hmac_pads(key)
    digest = hashlib.sha256(outer + hashlib.sha256(inner + b"someone@example.com").digest()).hexdigest()
    assert digest == hmac.new(key, b"someone@example.com", hashlib.sha256).hexdigest()


def test_every_column_of_personal_data_says_so(company: Build) -> None:
    manifest = json.loads((company.folder / "target" / "manifest.json").read_text())
    personal = {"email", "phone", "first_name", "last_name", "ip_address", "user_agent", "advertising_id"}
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    tagged = {
        (model["schema"], model["name"], name): column["config"]["meta"].get("personal_data")
        for model in models
        for name, column in model["columns"].items()
        if name in personal or name.endswith("_hash") or name == "customer_id"
    }
    assert len(tagged) > 40
    for (schema, model, name), tag in tagged.items():
        if name in personal:
            assert (schema, tag) == ("staging", True), (model, name)
        elif name == "email_hash":
            assert tag == "hashed", (model, name)
        elif name == "customer_id":
            assert tag == "pseudonym", (model, name)
