"""Content credentials (C2PA): a manifest inside the picture, signed with the user's own certificate.

Source: C2PA technical specification 2.1, sections 8 (manifests), 13 (signatures) and 18.14 (actions).
"""

from __future__ import annotations

import importlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portraitist import __version__
from portraitist.errors import ConfigError, EngineError, InputError

ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")
"""Signature algorithms of C2PA: ECDSA by curve, RSA-PSS by hash, Ed25519. It must be that of the private key."""

_MIME = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True)
class Credential:
    """Signs pictures as the owner of a certificate. certificate: the chain in PEM, the signer's own first.

    key: the private key in PEM, unencrypted; never shown. timestamps: URL of a time-stamping service, None for none
    (the only thing here that would use the network).
    """

    certificate: bytes
    key: bytes = field(repr=False)
    algorithm: str = "es256"
    timestamps: str | None = None

    @classmethod
    def load(
        cls, certificate: Path, key: Path, *, algorithm: str = "es256", timestamps: str | None = None
    ) -> Credential:
        """Read the two PEM files and try them on a one-pixel picture, so that a mistake shows before any work is done.

        Raises EngineError without the extra `c2pa`, InputError for files that are missing, are not PEM, do not belong
        together or that C2PA does not allow to sign, ConfigError for an unknown algorithm.
        """
        if algorithm not in ALGORITHMS:
            raise ConfigError(f"signing algorithm '{algorithm}': expected one of {', '.join(ALGORITHMS)}")
        credential = cls(_pem(certificate, "CERTIFICATE"), _pem(key, "PRIVATE KEY"), algorithm, timestamps)
        credential._try()
        return credential

    def sign(self, data: bytes, format: str, source_type: str) -> bytes:
        """The same picture with a signed manifest in it; pixels and metadata stay as they are.

        format: `png`, `jpeg` or `webp`. source_type: the IPTC URL of what the picture is (`provenance.SOURCE_TYPES`).
        Raises EngineError without the extra `c2pa`, InputError when signing fails, ConfigError for another format.
        """
        if format not in _MIME:
            raise ConfigError(f"format '{format}': expected one of {', '.join(_MIME)} to sign")
        c2pa = _c2pa()
        signed = io.BytesIO()
        try:
            info = c2pa.C2paSignerInfo(
                self.algorithm.encode(),
                self.certificate,
                self.key,
                self.timestamps.encode() if self.timestamps else None,
            )
            with (
                c2pa.Signer.from_info(info) as signer,
                c2pa.Builder(json.dumps(_manifest(format, source_type))) as builder,
            ):
                builder.sign(signer, _MIME[format], io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise InputError(
                f"signing: expected a certificate chain that C2PA accepts (signer first, then its issuer) with the key "
                f"that belongs to it and algorithm '{self.algorithm}'; found: {error}"
            ) from error
        return signed.getvalue()

    def _try(self) -> None:
        from PIL import Image

        pixel = io.BytesIO()
        Image.new("RGB", (1, 1)).save(pixel, "png")
        self.sign(pixel.getvalue(), "png", "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic")


def _manifest(format: str, source_type: str) -> dict[str, Any]:
    """One action: a portrait comes into being, and what it was made by. Nothing about the person."""
    agent = {"name": "portraitist", "version": __version__}
    action = {"action": "c2pa.created", "digitalSourceType": source_type, "softwareAgent": agent}
    return {
        "claim_generator_info": [agent],
        "format": _MIME[format],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }


def _pem(path: Path, what: str) -> bytes:
    try:
        data = path.expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"{path}: expected a PEM file for signing, could not read it ({error.strerror})") from error
    if b"-----BEGIN " not in data or what.encode() not in data:
        raise InputError(f"{path}: expected PEM with '{what}' in it, found something else; export it as PEM")
    if b"ENCRYPTED" in data:
        raise InputError(f"{path}: expected a key without a pass phrase, found an encrypted one; decrypt a copy of it")
    return data


def _c2pa() -> Any:
    try:
        return importlib.import_module("c2pa")
    except ImportError as error:
        raise EngineError(
            f"signing needs the extra 'c2pa' ({error}); install it with: pip install 'portraitist[c2pa]'"
        ) from error
