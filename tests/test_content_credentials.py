"""Signed for real with a certificate made here, and read back with the verifier of the C2PA project."""

from __future__ import annotations

import datetime
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from portraitist.cli.main import main
from portraitist.content_credentials import Credential
from portraitist.errors import ConfigError, EngineError, InputError
from portraitist.image import encode_image
from portraitist.provenance import SOURCE_TYPES, Recipe, save_portrait, source_type_xmp
from portraitist.types import Image

KIND = SOURCE_TYPES["composite"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A chain of two certificates and the signer's key, in PEM: what a user would bring."""
    pytest.importorskip("cryptography", reason="needs the extra 'c2pa' (it brings cryptography)")
    pytest.importorskip("c2pa", reason="needs the extra 'c2pa'")
    from cryptography.hazmat.primitives import serialization as ser

    folder = tmp_path_factory.mktemp("signer")
    chain, key = _chain()
    pem = b"".join(certificate.public_bytes(ser.Encoding.PEM) for certificate in chain)
    (folder / "chain.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()))
    return folder / "chain.pem", folder / "key.pem"


def _chain() -> tuple[list[Any], Any]:
    """Signer and issuer, P-256, with the extensions C2PA 2.1 section 14.5 asks of a claim signer."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    issuer_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, owner = _called("Test issuer"), _called("Test photographer")
    now = datetime.datetime.now(datetime.UTC)

    def builder(subject: Any, public: Any, is_issuer: bool) -> Any:
        usage = x509.KeyUsage(not is_issuer, False, False, False, False, is_issuer, is_issuer, False, False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(is_issuer, None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(identifier, critical=False)
        )

    purpose = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
    own = builder(owner, key.public_key(), False).add_extension(purpose, critical=False)
    signed = [own.sign(issuer_key, hashes.SHA256())]
    return [*signed, builder(issuer, issuer_key.public_key(), True).sign(issuer_key, hashes.SHA256())], key


def _called(name: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "portraitist tests"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _read(data: bytes, mime: str) -> dict[str, Any]:
    import c2pa

    with c2pa.Reader(mime, io.BytesIO(data)) as reader:
        return dict(json.loads(reader.json()))


def _codes(found: dict[str, Any]) -> set[str]:
    results = found.get("validation_results", {}).get("activeManifest", {})
    return {entry["code"] for entry in results.get("failure", [])}


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_the_manifest_reads_back(files: tuple[Path, Path], astronaut: Image, format: str) -> None:
    plain = encode_image(astronaut, format, xmp=source_type_xmp("composite"))
    signed = Credential.load(*files).sign(plain, format, KIND)
    found = _read(signed, f"image/{format}")
    manifest = found["manifests"][found["active_manifest"]]
    (action,) = [a["data"]["actions"][0] for a in manifest["assertions"] if a["label"].startswith("c2pa.actions")]
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"] == KIND
    assert manifest["signature_info"]["alg"] == "Es256"
    # A certificate made a second ago is on nobody's list of trusted ones; everything else must hold.
    assert _codes(found) <= {"signingCredential.untrusted"}
    before, after = (np.asarray(PillowImage.open(io.BytesIO(data)).convert("RGB")) for data in (plain, signed))
    assert (before == after).all()


def test_a_changed_picture_is_noticed(files: tuple[Path, Path], astronaut: Image) -> None:
    signed = bytearray(Credential.load(*files).sign(encode_image(astronaut, "jpeg"), "jpeg", KIND))
    signed[-200] ^= 1
    assert "assertion.dataHash.mismatch" in _codes(_read(bytes(signed), "image/jpeg"))


def test_save_portrait_signs_the_file(files: tuple[Path, Path], astronaut: Image, tmp_path: Path) -> None:
    recipe = Recipe("shoot", "compose", {}, 0, 0, ("anna",), ())
    saved = save_portrait(astronaut, recipe, tmp_path, "one", credential=Credential.load(*files))
    assert KIND in json.dumps(_read(saved.path.read_bytes(), "image/png"))
    assert KIND.encode() in saved.path.read_bytes(), "the XMP is still there for readers without C2PA"


def test_shoot_signs_what_it_writes(
    files: tuple[Path, Path], astronaut_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["shoot", str(astronaut_path), "--id-photo", "us-passport", "--consent", "public domain", "--json"]
    line += ["--library", str(tmp_path / "library"), "-o", str(tmp_path / "out"), "--sign-cert", str(files[0])]
    assert main(line) == 2, "a certificate without its key"
    assert not (tmp_path / "library").exists()
    capsys.readouterr()
    assert main([*line, "--sign-key", str(files[1])]) == 0
    written = sorted((tmp_path / "out").glob("*.png"))
    assert len(written) == 2, "the photo and its print sheet"
    for path in written:
        found = _read(path.read_bytes(), "image/png")
        assert _codes(found) <= {"signingCredential.untrusted"}
        assert KIND in json.dumps(found)


def test_what_cannot_sign_is_refused_before_any_work(files: tuple[Path, Path], tmp_path: Path) -> None:
    chain, key = files
    with pytest.raises(ConfigError, match="es256"):
        Credential.load(chain, key, algorithm="md5")
    with pytest.raises(InputError, match=r"none\.pem"):
        Credential.load(tmp_path / "none.pem", key)
    with pytest.raises(InputError, match="'CERTIFICATE'"):
        Credential.load(key, key)
    with pytest.raises(InputError, match="signing: expected"):
        Credential.load(chain, key, algorithm="ps256")
    lone = tmp_path / "empty.pem"
    lone.write_bytes(b"-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n")
    with pytest.raises(InputError, match="signing: expected"):
        Credential.load(lone, key)
    with pytest.raises(ConfigError, match="to sign"):
        Credential.load(chain, key).sign(b"", "bmp", KIND)


def test_a_key_of_somebody_else_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as ser

    other = tmp_path / "other.pem"
    other.write_bytes(_chain()[1].private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()))
    with pytest.raises(InputError, match="belongs to it"):
        Credential.load(files[0], other)


def test_without_the_extra_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(EngineError, match=r"portraitist\[c2pa\]"):
        Credential(b"", b"").sign(b"", "png", KIND)


def test_the_key_is_never_shown() -> None:
    assert "secret" not in repr(Credential(b"c", b"secret"))
