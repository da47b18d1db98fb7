# needs: python3-werkzeug
# packages: werkzeug markupsafe
"""Werkzeug without a framework: routing, wrappers, middleware, form parsing,
data structures, security and a server on the loopback.
"""
import copy
import io
import pickle
import threading
import urllib.request

import werkzeug.datastructures
import werkzeug.exceptions
import werkzeug.http as http
from werkzeug import serving, test, wsgi
from werkzeug.formparser import FormDataParser, parse_form_data
from werkzeug.local import Local, LocalStack, release_local
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, RequestRedirect, Rule, RuleFactory, Submount
from werkzeug.routing import Subdomain
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.urls import iri_to_uri, uri_to_iri
from werkzeug.utils import secure_filename
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import ClosingIterator, get_current_url


class Resource(RuleFactory):
    def __init__(self, name):
        self.name = name

    def get_rules(self, map):
        yield Rule(f"/{self.name}", endpoint=f"{self.name}.all")
        yield Rule(f"/{self.name}/<int:id>", endpoint=f"{self.name}.one")


URLS = Map([
    Rule("/", endpoint="index"),
    Rule("/dir/", endpoint="dir"),
    Rule("/f/<float:x>/<path:p>", endpoint="f"),
    Rule("/<any(a,b):which>/<uuid:u>", endpoint="any"),
    Submount("/api", [Resource("notes"), Resource("users")]),
    Subdomain("en", [Rule("/", endpoint="english")]),
])


@Request.application
def echo(request):
    parts = [request.method, request.path, str(request.remote_addr)]
    parts += [f"{k}={v}" for k, v in sorted(request.values.items())]
    parts += [f"{k}:{f.filename}:{f.read()!r}"
              for k, f in sorted(request.files.items())]
    return Response(" ".join(parts), mimetype="text/plain")


def routes():
    adapter = URLS.bind("example.org", "/", subdomain="")
    for path in ("/", "/f/1.5/x/y", "/api/notes/3", "/api/users", "/dir",
                 "/none"):
        try:
            print(path, adapter.match(path))
        except RequestRedirect as error:
            print(path, "->", error.new_url, error.code)
        except werkzeug.exceptions.NotFound as error:
            print(path, error)
    print(adapter.build("f", {"x": 2.5, "p": "a b/c"}),
          adapter.build("english"),
          URLS.is_endpoint_expecting("notes.one", "id"))


def structures():
    multi = werkzeug.datastructures.MultiDict([("a", "1"), ("a", "2")])
    accept = http.parse_accept_header("text/html;q=0.5,text/plain",
                                      werkzeug.datastructures.MIMEAccept)
    headers = werkzeug.datastructures.Headers({"X-A": "1"})
    headers.add("Content-Disposition", "attachment", filename="x.txt")
    print(multi.getlist("a"), pickle.loads(pickle.dumps(multi)) == multi,
          copy.deepcopy(multi), accept.best, list(headers))
    print(http.parse_range_header("bytes=0-9,20-").ranges,
          http.quote_etag("x", weak=True), http.parse_set_header("a, b"),
          http.dump_cookie("k", "v w", path="/p", httponly=True))
    print(http.parse_cache_control_header("max-age=3, no-cache"),
          http.parse_options_header('form-data; name="x"'))
    print(iri_to_uri("http://ü.de/ä?q=ü"), uri_to_iri("/%C3%A4?q=%26"),
          secure_filename("../../etc/pass wd"))


def main():
    routes()
    structures()
    app = DispatcherMiddleware(echo, {"/sub": ProxyFix(echo, x_for=1)})
    client = test.Client(app, Response)
    print(client.get("/x?a=1&b=2").text)
    print(client.post("/sub/up", headers={"X-Forwarded-For": "10.0.0.9"},
                      data={"f": (io.BytesIO(b"data"), "n.txt"), "z": "1"}
                      ).text)
    builder = test.EnvironBuilder(path="/q", query_string={"x": "y"},
                                  method="POST", data={"k": "v"})
    environ = builder.get_environ()
    print(get_current_url(environ), parse_form_data(environ)[1],
          FormDataParser().max_content_length, wsgi.get_host(environ))
    for error in (404, 405, 413, 503):
        try:
            werkzeug.exceptions.abort(error)
        except werkzeug.exceptions.HTTPException as caught:
            print(type(caught).__name__, caught.get_response().status)
    local, stack = Local(), LocalStack()
    local.user = "ann"
    stack.push(3)
    proxy = local("user")
    print(str(proxy), stack.top, proxy == "ann", stack.pop(), stack.top)
    release_local(local)
    print(bool(proxy), list(ClosingIterator([b"x"], lambda: print("closed"))))
    hashed = generate_password_hash("s", "pbkdf2:sha256:10")
    print(check_password_hash(hashed, "s"), check_password_hash(hashed, "t"))

    class Quiet(serving.WSGIRequestHandler):
        def log(self, *args):
            pass

    server = serving.make_server("127.0.0.1", 0, echo, threaded=True,
                                 request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    where = f"http://127.0.0.1:{server.server_port}/live?n=5"
    print(urllib.request.urlopen(where, timeout=5).read().decode())
    server.shutdown()
    thread.join()
    server.server_close()


if __name__ == "__main__":
    main()
