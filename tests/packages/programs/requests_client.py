# needs: python3-requests python3-urllib3 python3-certifi python3-idna python3-chardet python3-charset-normalizer
# packages: requests urllib3 certifi idna chardet charset_normalizer
"""requests and what is below it, against a server on the loopback: sessions,
adapters, authentication, retries, pools, multipart, encodings and errors.
"""
import copy
import http.server
import io
import json
import os
import pickle
import threading

import certifi
import chardet
import charset_normalizer
import idna
import idna.codec
import requests
import requests.adapters
import requests.auth
import urllib3
import urllib3.util.retry
from chardet.universaldetector import UniversalDetector
from requests import Request, Session, codes, utils
from requests.cookies import RequestsCookieJar, cookiejar_from_dict
from requests.exceptions import ConnectionError, HTTPError, RequestException
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool, PoolManager, Retry
from urllib3.exceptions import LocationParseError, MaxRetryError
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata
from urllib3.response import HTTPResponse
from urllib3.util import Timeout, make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tries = []

    def do_GET(self):
        size = int(self.headers.get("Content-Length", 0))
        text = self.rfile.read(size).decode("latin-1")
        self.tries.append(self.path)
        status = {"/loop": 302, "/go": 307, "/no": 404, "/busy": 503}.get(
            self.path, 200)
        if self.path == "/busy" and self.tries.count("/busy") > 2:
            status = 200
        body = json.dumps([self.command, self.path, text[:30], self.headers.get(
            "Authorization"), self.headers.get("Cookie")]).encode()
        self.send_response(status)
        if status in (302, 307):
            self.send_header("Location", "/loop" if status == 302 else "/to")
        self.send_header("Set-Cookie", "k=v")
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET

    def log_message(self, *args):
        pass


class Memory(requests.adapters.BaseAdapter):
    def send(self, request, **kwargs):
        response = requests.Response()
        response.status_code, response.request = 299, request
        response.raw, response.url = io.BytesIO(b"\xe4b"), request.url
        response.headers = CaseInsensitiveDict({"Content-Type": "text/x"})
        return response

    def close(self):
        pass


class Token(requests.auth.AuthBase):
    def __call__(self, request):
        request.headers["Authorization"] = "token"
        return request


def session_of(base):
    with Session() as session:
        session.trust_env = False
        session.mount("mem://", Memory())
        session.mount(base, requests.adapters.HTTPAdapter(max_retries=Retry(
            4, backoff_factor=0, status_forcelist=[503])))
        session.hooks["response"].append(lambda r, **kw: print(
            "hook", r.status_code))
        session.max_redirects = 2
        for call in (lambda: session.get(base + "/a", params={"x": [1, "ü"]}),
                     lambda: session.post(base + "/go", data={"d": 1},
                                          auth=("u", "p")),
                     lambda: session.put(base + "/j", json={"a": None},
                                         auth=Token()),
                     lambda: session.get(base + "/busy"),
                     lambda: session.get(base + "/loop")):
            try:
                response = call()
                print(response.json(), len(response.history), response.reason)
            except requests.TooManyRedirects as error:
                print(error)
        try:
            requests.get(base + "/no").raise_for_status()
        except HTTPError as error:
            print(error.response.status_code == codes.not_found, pickle.loads(
                pickle.dumps(error.response)).text)
        response = session.get("mem://x/y")
        print(response.text, response.encoding, response.apparent_encoding,
              session.cookies.get_dict())
        made = session.prepare_request(Request(
            "POST", base, files={"f": ("n", b"data")}, data={"q": "1"}))
        print(made.headers["Content-Length"], copy.copy(made).method)
        with session.get(base + "/s", stream=True) as response:
            print([len(c) for c in response.iter_content(20)],
                  response.raw.version)
    for bad in ("nothing", "http://", "mem://x", "http://127.0.0.1:1/",
                "http://*bad"):
        try:
            requests.get(bad, timeout=1)
        except (RequestException, ConnectionError) as error:
            print(type(error).__name__, isinstance(error, IOError))


def below(base, port):
    pool = HTTPConnectionPool("127.0.0.1", port, maxsize=1, block=True)
    for _ in range(2):
        print(pool.request("GET", "/pool").status, pool.num_connections)
    try:
        PoolManager(retries=Retry(1, backoff_factor=0)).request(
            "GET", "http://127.0.0.1:1/")
    except MaxRetryError as error:
        print(type(error.reason).__name__, error.pool.port)
    retry = Retry(total=3, allowed_methods=["PUT"])
    print(retry.increment("PUT", "/").total, retry.is_retry("GET", 500),
          urllib3.util.retry.RequestHistory._fields, Timeout(3).connect_timeout,
          make_headers(basic_auth="a:b", keep_alive=True))
    print(parse_url("http://u@Ex.org:8/a b?c#d"), encode_multipart_formdata([
        ("a", "1"), RequestField("f", b"x", "n")], boundary="b")[1],
        create_urllib3_context().verify_mode.name)
    try:
        parse_url("http://[::1")
    except LocationParseError as error:
        print(error)
    print(HTTPResponse(io.BytesIO(b"abc"), preload_content=False).read(2),
          urllib3.make_headers(user_agent="x"))


def texts():
    print(idna.encode("bücher.example"), idna.decode("xn--bcher-kva"),
          idna.encode("Straße.De", uts46=True, transitional=True))
    for bad in ("a" * 70, "-x", "\u2260", ""):
        try:
            idna.encode(bad)
        except idna.IDNAError as error:
            print(type(error).__name__, str(error)[:40])
    sample = "Съешь же ещё этих мягких французских булок, да выпей чаю. " * 3
    detector = UniversalDetector()
    detector.feed(sample.encode("koi8-r"))
    print(chardet.detect(sample.encode("cp1251"))["encoding"],
          detector.close()["language"], chardet.detect(b"abc"),
          chardet.detect_all("日本語テキスト".encode("euc-jp"))[0]["encoding"])
    best = charset_normalizer.from_bytes(sample.encode("utf-8")).best()
    print(best.encoding, best.alphabets, best.bom, charset_normalizer.detect(
        sample.encode("utf-16"))["encoding"])
    print(os.path.exists(certifi.where()), "BEGIN CERT" in certifi.contents(),
          utils.get_encoding_from_headers({"content-type": "text/html"}),
          utils.parse_header_links("<a>; rel=next"), utils.requote_uri("a b"),
          sorted(cookiejar_from_dict({"a": "b"}, RequestsCookieJar()).items()))


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    session_of(f"http://127.0.0.1:{server.server_port}")
    below("", server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()
    texts()


if __name__ == "__main__":
    main()
