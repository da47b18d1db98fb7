# needs: python3-cryptography python3-nacl python3-bcrypt python3-passlib
# packages: cryptography nacl bcrypt passlib
"""Ciphers, keys and certificates of cryptography, boxes of PyNaCl, and
passlib's hashes found by name.
"""
import datetime
import warnings

import bcrypt
import cryptography.exceptions
import cryptography.hazmat.primitives.serialization.pkcs12
import cryptography.x509.oid
import nacl.secret
import nacl.utils
import passlib.apps
import passlib.hash
from cryptography import fernet, x509
from cryptography.hazmat.primitives import ciphers, hashes, hmac, padding
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding as pad
from cryptography.hazmat.primitives.asymmetric import dh, rsa, utils, x25519
from cryptography.hazmat.primitives.ciphers import aead, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from nacl import bindings, encoding, exceptions, hash as nacl_hash, pwhash
from nacl.public import Box, PrivateKey, SealedBox
from nacl.signing import SigningKey
from passlib import exc, registry, totp
from passlib.context import CryptContext, LazyCryptContext
from passlib.ifc import PasswordHash
from passlib.utils import handlers as uh

warnings.simplefilter("ignore")


class xorhash(uh.GenericHandler):
    name = "xorhash"
    setting_kwds = context_kwds = ()

    @classmethod
    def from_string(cls, hashed):
        return cls(checksum=hashed[2:])

    @classmethod
    def identify(cls, hashed):
        return hashed.startswith("@@")

    def to_string(self):
        return "@@" + self.checksum

    def _calc_checksum(self, secret):
        return format(sum(bytes(secret, "utf8") if isinstance(secret, str)
                          else secret), "x")


def symmetric():
    key = b"k" * 32
    cipher = ciphers.Cipher(algorithms.AES(key), modes.CBC(b"i" * 16))
    padder, enc = padding.PKCS7(128).padder(), cipher.encryptor()
    data = enc.update(padder.update(b"text") + padder.finalize()) + enc.finalize()
    mac = hmac.HMAC(key, hashes.SHA256())
    mac.update(data)
    branch = mac.copy()
    print(data.hex(), mac.finalize().hex()[:16], branch.finalize() != b"")
    for kind in (aead.AESGCM, aead.ChaCha20Poly1305, aead.AESCCM):
        sealed = kind(key).encrypt(b"n" * 12, b"data", b"aad")
        try:
            kind(key).decrypt(b"n" * 12, sealed, b"other")
        except cryptography.exceptions.InvalidTag as error:
            print(kind.__name__, sealed.hex()[:12], type(error).__name__)
    for make in (lambda: HKDF(hashes.SHA512(), 16, b"s", b"i"),
                 lambda: PBKDF2HMAC(hashes.SHA1(), 16, b"s", 5),
                 lambda: Scrypt(b"s", 16, 2, 1, 1)):
        derived = make().derive(b"pw")
        make().verify(b"pw", derived)
        print(derived.hex(), end=" ")
    print(aes_key_unwrap(key, aes_key_wrap(key, b"w" * 16)))
    box = fernet.MultiFernet([fernet.Fernet(fernet.Fernet.generate_key())
                              for _ in range(2)])
    try:
        print(box.decrypt(box.rotate(box.encrypt(b"f"))), box.decrypt(b"bad"))
    except fernet.InvalidToken as error:
        print(type(error).__name__, TOTP(key, 6, hashes.SHA1(), 30).generate(59))


def asymmetric():
    key = ec.derive_private_key(12345, ec.SECP256R1())
    signature = key.sign(b"m", ec.ECDSA(hashes.SHA256()))
    key.public_key().verify(signature, b"m", ec.ECDSA(hashes.SHA256()))
    print(len(utils.decode_dss_signature(signature)), key.curve.name)
    pem = key.private_bytes(serialization.Encoding.PEM,
                            serialization.PrivateFormat.PKCS8,
                            serialization.BestAvailableEncryption(b"pw"))
    for word in (b"pw", b"no", None):
        try:
            print(serialization.load_pem_private_key(pem, word).key_size)
        except (ValueError, TypeError) as error:
            print(type(error).__name__)
    big = rsa.generate_private_key(65537, 1024)
    oaep = pad.OAEP(pad.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    print(big.decrypt(big.public_key().encrypt(b"rsa", oaep), oaep))
    one, two = x25519.X25519PrivateKey.generate(), \
        x25519.X25519PrivateKey.generate()
    print(one.exchange(two.public_key()) == two.exchange(one.public_key()),
          ed25519.Ed25519PrivateKey.from_private_bytes(b"e" * 32).public_key(
          ).public_bytes(serialization.Encoding.Raw, serialization.PublicFormat
                         .Raw).hex()[:8], dh.DHParameterNumbers(2 ** 512 + 75, 5).g)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ann"),
                      x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")])
    at = datetime.datetime(2020, 1, 1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(
        name).public_key(key.public_key()).serial_number(7).not_valid_before(
        at).not_valid_after(at + datetime.timedelta(9)).add_extension(
        x509.SubjectAlternativeName([x509.DNSName("a.b")]), False).add_extension(
        x509.BasicConstraints(True, 1), True).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False).sign(
        key, hashes.SHA256())
    again = x509.load_der_x509_certificate(made.public_bytes(
        serialization.Encoding.DER))
    print(again == made, again.subject.rfc4514_string(), [
        e.oid._name for e in again.extensions], again.extensions.
        get_extension_for_class(x509.SubjectAlternativeName).value
        .get_values_for_type(x509.DNSName), hash(again) == hash(made),
        cryptography.x509.oid.SignatureAlgorithmOID.ECDSA_WITH_SHA256._name)
    bundle = serialization.pkcs12.serialize_key_and_certificates(
        b"n", key, made, None, serialization.NoEncryption())
    print(serialization.pkcs12.load_pkcs12(bundle, None).cert.friendly_name)


def salt():
    box = nacl.secret.SecretBox(b"k" * 32)
    sealed = box.encrypt(b"m", b"n" * 24, encoder=encoding.HexEncoder)
    signed = SigningKey(b"s" * 32).sign(b"sig")
    ann, bob = PrivateKey(b"a" * 32), PrivateKey(b"b" * 32)
    print(sealed[-10:], box.decrypt(sealed, encoder=encoding.HexEncoder),
          signed.signature.hex()[:8], Box(ann, bob.public_key).shared_key() ==
          Box(bob, ann.public_key).shared_key(), SealedBox(ann).decrypt(
              SealedBox(ann.public_key).encrypt(b"anon")))
    try:
        SigningKey(b"s" * 32).verify_key.verify(b"x" * 70)
    except exceptions.BadSignatureError as error:
        print(type(error).__name__, nacl_hash.blake2b(b"x", 8),
              nacl.utils.bytes_as_string(b"q"), bindings.crypto_box_NONCEBYTES)
    print(pwhash.argon2id.kdf(16, b"p", b"s" * 16, opslimit=1,
                              memlimit=8192).hex())


def words():
    context = CryptContext(["sha256_crypt", "md5_crypt", "bcrypt"],
                           deprecated=["md5_crypt"],
                           sha256_crypt__rounds=1000, bcrypt__rounds=4)
    old = passlib.hash.md5_crypt.using(salt="abcd").hash("pw")
    print(old, context.verify_and_update("pw", old)[0], context.identify(old),
          context.needs_update(old), context.handler("bcrypt").name)
    registry.register_crypt_handler(xorhash)
    for name in ("ldap_salted_sha1", "pbkdf2_sha256", "xorhash", "nthash",
                 "django_pbkdf2_sha1", "postgres_md5", "none_such"):
        try:
            handler = registry.get_crypt_handler(name)
            extra = {"user": "u"} if name == "postgres_md5" else {}
            print(name, handler.verify("pw", handler.hash("pw", **extra),
                                       **extra), isinstance(handler, type))
        except KeyError as error:
            print(error)
    try:
        context.verify("pw", "nonsense")
    except exc.UnknownHashError as error:
        print(error)
    print(passlib.apps.custom_app_context.schemes(), context.to_string()[:22],
          LazyCryptContext(["des_crypt"]).hash("p", salt="ab"), issubclass(
              passlib.hash.des_crypt, object), PasswordHash.__name__,
          totp.TOTP(key="GEZDGNBVGY3TQOJQ", format="base32").generate(59).token,
          bcrypt.kdf(b"p", b"s", 8, 50).hex())


if __name__ == "__main__":
    symmetric()
    asymmetric()
    salt()
    words()
