# needs: python3-itsdangerous python3-markupsafe
# packages: itsdangerous markupsafe
"""Signed tokens and safe markup: signers, serializers, key rotation, errors,
Markup methods and formatting.
"""
import copy
import hashlib
import json
import pickle

import itsdangerous
import itsdangerous.encoding as encoding
import markupsafe
from itsdangerous import exc
from itsdangerous import timed as timed_module
from itsdangerous.serializer import Serializer
from itsdangerous.signer import HMACAlgorithm, NoneAlgorithm, Signer
from itsdangerous.timed import TimedSerializer, TimestampSigner
from itsdangerous.url_safe import URLSafeSerializer, URLSafeTimedSerializer
from markupsafe import EscapeFormatter, Markup, escape, escape_silent


class FrozenSigner(TimestampSigner):
    now = 1_000_000

    def get_timestamp(self):
        return self.now


class Name:
    def __init__(self, text):
        self.text = text

    def __html__(self):
        return f"<u>{self.text}</u>"

    def __html_format__(self, spec):
        return Markup("<u>{}</u>").format(self.text[:int(spec or 9)])


def tokens():
    signer = Signer("key", salt="s", digest_method=hashlib.sha256)
    signed = signer.sign("value")
    print(signed, signer.unsign(signed), signer.validate(b"value.x"))
    for derivation in ("concat", "django-concat", "hmac", "none"):
        print(Signer("k", key_derivation=derivation).sign("v").decode())
    print(Signer("k", algorithm=NoneAlgorithm()).sign("v"),
          Signer("k", algorithm=HMACAlgorithm(hashlib.md5)).sign("v"))
    old, new = URLSafeSerializer("old"), URLSafeSerializer(["old", "new"])
    data = {"id": 5, "names": ["a", "b"] * 40}
    print(new.loads(old.dumps(data)) == data, old.dumps(data)[:1],
          old.loads_unsafe("x.y"))
    frozen = FrozenSigner("k")
    stamped = frozen.sign(b"late")
    print(stamped, frozen.unsign(stamped, return_timestamp=True))
    frozen.now += 100
    try:
        frozen.unsign(stamped, max_age=10)
    except itsdangerous.SignatureExpired as error:
        print(error, error.date_signed, error.payload)
    timed = URLSafeTimedSerializer("k", signer=FrozenSigner)
    token = timed.dumps([1, 2])
    print(token, timed.loads(token, max_age=5),
          isinstance(timed, timed_module.TimedSerializer))
    for bad in (token[:-2], "nothing", token.replace(".", "!", 1), ""):
        try:
            timed.loads(bad)
        except exc.BadSignature as error:
            again = pickle.loads(pickle.dumps(exc.BadData("x")))
            print(type(error).__name__, error, type(again).__name__)
    try:
        Serializer("k").loads(Signer("k", salt="itsdangerous").sign("{"))
    except exc.BadPayload as error:
        print(error, type(error.original_error).__name__)
    print(Serializer("k", serializer=json, serializer_kwargs={
        "sort_keys": True}).dumps({"b": 1, "a": 2}),
        TimedSerializer.default_signer.__name__)
    print(encoding.base64_encode("xx?"), encoding.int_to_bytes(258),
          encoding.bytes_to_int(b"\x01\x02"), encoding.want_bytes("ü"))


def markup():
    text = Markup("<em>%s</em> %d") % ("<x>", 3)
    print(text, escape(Name("n")), escape_silent(None) == "",
          Markup("<a>") + "<b>", "<c>" + Markup("<d>"))
    print(Markup("{0} {1:3}").format("<", Name("abcdef")),
          EscapeFormatter(escape).format("{}", "&"))
    print(Markup("<b>a &amp; &lt;</b>  c").striptags(),
          Markup("&gt;&#39;").unescape(), repr(Markup("x").join(["<", "y"])))
    print(type(copy.copy(text)).__name__, pickle.loads(pickle.dumps(text)),
          Markup("a,b").split(","), Markup("<x>").partition("x"),
          Markup("ab")[0], markupsafe.soft_str(Markup("z")), 2 * Markup("q"))


if __name__ == "__main__":
    tokens()
    markup()
