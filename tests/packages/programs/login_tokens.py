# needs: python3-jwt python3-oauthlib python3-requests-oauthlib python3-jose python3-requests
# packages: jwt oauthlib requests_oauthlib jose
"""Tokens and logins: PyJWT's algorithms and key sets, python-jose's signed and
encrypted tokens, an OAuth 2 provider of oauthlib with its clients, OAuth 1.
"""
import datetime
import json
import logging
import os
import pickle

import jose.jwk
import jose.jwt
import jwt
import jwt.algorithms
import oauthlib.common
import oauthlib.oauth2.rfc6749.errors
import requests_oauthlib
import requests_oauthlib.compliance_fixes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import constants, jwe, jws
from jose.exceptions import ExpiredSignatureError, JOSEError, JWTError
from jwt import PyJWKSet, api_jwk, exceptions, utils
from jwt.api_jws import PyJWS
from oauthlib import oauth1, signals
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient
from oauthlib.oauth2 import MobileApplicationClient, RequestValidator, Server
from oauthlib.oauth2 import WebApplicationClient
from oauthlib.openid.connect.core.endpoints import Server as OpenIdServer
from requests import PreparedRequest, Request, Response
from requests.adapters import BaseAdapter
from requests_oauthlib import OAuth1, OAuth1Session, OAuth2Session

logging.disable(logging.CRITICAL)
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
SECRET = "s" * 32
KEY = rsa.generate_private_key(65537, 2048)


class Backwards(jwt.algorithms.HMACAlgorithm):
    def sign(self, message, key):
        return super().sign(message, key)[::-1]


class Validator(RequestValidator):
    codes = {}

    def validate_client_id(self, client_id, request, *args, **kwargs):
        return client_id == "me"

    def authenticate_client(self, request, *args, **kwargs):
        request.client = type("C", (), {"client_id": request.client_id})()
        return request.client_id == "me"

    def validate_user(self, user, password, client, request, *args, **kw):
        return password == "pw"

    def save_authorization_code(self, client_id, code, request, *args, **kw):
        self.codes[code["code"]] = client_id

    def validate_code(self, client_id, code, client, request, *args, **kw):
        request.user, request.scopes = "ann", ["a"]
        return self.codes.pop(code, None) == client_id

    def save_bearer_token(self, token, request, *args, **kwargs):
        self.token = token["access_token"]

    def validate_bearer_token(self, token, scopes, request):
        return token == self.token

    def yes(self, *args, **kwargs):
        return True

    validate_response_type = validate_scopes = validate_grant_type = yes
    validate_redirect_uri = confirm_redirect_uri = yes

    def get_default_scopes(self, *args, **kw):
        return ["a"]

    def get_default_redirect_uri(self, *args, **kw):
        return "http://me/back"

    def get_original_scopes(self, *args, **kw):
        return ["a"]

    def is_pkce_required(self, *args, **kw):
        return False

    def get_code_challenge(self, *args, **kw):
        return None

    invalidate_authorization_code = yes


class Provider(BaseAdapter):
    def __init__(self, server):
        super().__init__()
        self.server = server

    def send(self, request, **kwargs):
        if "/token" in request.url:
            headers, body, status = self.server.create_token_response(
                request.url, "POST", request.body, request.headers)
        else:
            good, _ = self.server.verify_request(
                request.url, request.method, None, request.headers, ["a"])
            headers, body, status = {}, json.dumps({"ok": good}), 200
        response = Response()
        response.status_code, response._content = status, body.encode()
        response.headers.update(headers)
        response.request, response.url = request, request.url
        return response

    def close(self):
        pass


def web_tokens():
    print(jwt.encode({"a": 1}, SECRET), jwt.decode(jwt.encode(
        {"aud": "me", "n": 2}, SECRET, headers={"kid": "k"}), SECRET, ["HS256"],
        audience="me"))
    now = datetime.datetime.now(tz=datetime.timezone.utc)
    for claims, options in (({"exp": now - datetime.timedelta(1)}, {}),
                            ({"nbf": now + datetime.timedelta(1)}, {}),
                            ({"aud": "x"}, {"audience": "y"}),
                            ({"iss": "x"}, {"issuer": "y"}),
                            ({}, {"options": {"require": ["sub"]}})):
        try:
            jwt.decode(jwt.encode(claims, SECRET), SECRET, ["HS256"], **options)
        except jwt.InvalidTokenError as error:
            print(type(error).__name__, error)
    for bad in ("x", "a.b.c", jwt.encode({}, "other")):
        try:
            jwt.decode(bad, SECRET, ["HS256"])
        except exceptions.DecodeError as error:
            print(type(error).__name__)
    curve = ec.generate_private_key(ec.SECP256R1())
    for name, key in (("RS256", KEY), ("PS256", KEY), ("ES256", curve)):
        token = jwt.encode({"k": name}, key, name)
        print(jwt.decode(token, key.public_key(), [name]),
              jwt.get_unverified_header(token))
    signer = PyJWS()
    signer.register_algorithm("BACK", Backwards(Backwards.SHA256))
    print(signer.decode(signer.encode(b"p", SECRET, "BACK"), SECRET, ["BACK"]),
          sorted(signer.get_algorithms())[:3])
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    keys = PyJWKSet.from_dict({"keys": [{**jwk, "kid": "1"}]})
    print(keys.keys[0].key_type, api_jwk.PyJWK.__name__, utils.base64url_encode(
        b"?>"), type(pickle.loads(pickle.dumps(jwt.DecodeError("x")))).__name__)


def jose_tokens():
    token = jose.jwt.encode({"sub": "a", "exp": 1}, SECRET, "HS512")
    try:
        jose.jwt.decode(token, SECRET, ["HS512"])
    except ExpiredSignatureError as error:
        print(error, jose.jwt.get_unverified_claims(token))
    sealed = jwe.encrypt("plain", b"k" * 16, algorithm="dir",
                         encryption="A128GCM")
    key = jose.jwk.construct(KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode(), "RS256")
    print(jwe.decrypt(sealed, b"k" * 16), jws.verify(jws.sign(
        b"p", key, algorithm="RS256"), key.public_key(), "RS256"),
        sorted(key.to_dict()), constants.ALGORITHMS.HS256)
    for bad in (lambda: jws.verify("x.y", SECRET, "HS256"),
                lambda: jose.jwt.decode("q", SECRET),
                lambda: jwe.decrypt("a", b"k")):
        try:
            bad()
        except JOSEError as error:
            print(type(error).__name__, isinstance(error, JWTError))


def logins():
    validator = Validator()
    server = Server(validator, token_generator=lambda request: "token-" +
                    request.client_id)
    back = OAuth2Session("me", redirect_uri="http://me/back", scope=["a"],
                         state="st")
    url, state = back.authorization_url("http://provider/auth", access_type="x")
    scopes, found = server.validate_authorization_request(url)
    headers, _, status = server.create_authorization_response(
        url, scopes=scopes, credentials={"user": "ann"})
    print(status, state, found["response_type"], headers["Location"].split("?")[0])
    back.mount("http://provider/", Provider(server))
    requests_oauthlib.compliance_fixes.weibo_compliance_fix(back)
    token = back.fetch_token("http://provider/token", include_client_id=True,
                             authorization_response=headers["Location"])
    print(token["access_token"], token.scope, back.get(
        "http://provider/me").json(), back.authorized)
    for client, extra in ((LegacyApplicationClient("me"), {"username": "a",
                                                           "password": "no"}),
                          (BackendApplicationClient("you"), {})):
        session = OAuth2Session(client=client)
        session.mount("http://provider/", Provider(server))
        try:
            session.fetch_token("http://provider/token", **extra,
                                include_client_id=True)
        except oauthlib.oauth2.rfc6749.errors.OAuth2Error as error:
            print(type(error).__name__, error.error)
    print(MobileApplicationClient("c").parse_request_uri_response(
        "http://x#access_token=t&token_type=b&state=q", state="q")["token_type"],
        WebApplicationClient("c").prepare_request_body(code="z"), bool(signals.
                                                     signals_available) in (
            True, False), OpenIdServer.__name__)
    one = oauth1.Client("k", "s", "rk", "rs", SIGNATURE_HMAC_SHA256,
                        nonce="n", timestamp="1")
    print(one.sign("http://h/p?a=1", "POST", {"b": "2"}, {
        "Content-Type": "application/x-www-form-urlencoded"})[1][
            "Authorization"][-60:])
    request = Request("GET", "http://h/", auth=OAuth1("k", "s")).prepare()
    print(isinstance(request, PreparedRequest), b"oauth_signature" in
          request.headers["Authorization"], OAuth1Session("k").token,
          oauthlib.common.urldecode("a=1&b=%20"))


if __name__ == "__main__":
    web_tokens()
    jose_tokens()
    logins()
