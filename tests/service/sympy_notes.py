"""sympy behind WSGI on 127.0.0.1: it does algebra for who asks.

    sympy_notes.py [PORT-FILE]
"""
import html
import json
import os
import sys
import urllib.parse
import wsgiref.simple_server

import sympy
from sympy.parsing.sympy_parser import parse_expr

try:
    import lazycore
except ImportError:
    lazycore = None

X = sympy.Symbol("x")


def index(query):
    items = "".join("<li>%s</li>" % html.escape(name)
                    for name in sorted(ROUTES))
    return "text/html", "<ul>%s</ul>" % items


def health(query):
    roots = sympy.solve(sympy.factor(X ** 2 - 3 * X + 2), X)
    slope = sympy.diff(sympy.sin(X) * X, X).subs(X, 0)
    return "application/json", json.dumps(
        {"ok": roots == [1, 2] and slope == 0, "roots": list(map(str, roots))})


def integral(query):
    """Of the expression in `of`, a polynomial say, over x."""
    found = sympy.integrate(parse_expr(query["of"]), X)
    return "text/plain", str(found)


def latex(query):
    return "text/plain", sympy.latex(parse_expr(query["of"]))


ROUTES = {"/": index, "/health": health, "/integral": integral,
          "/latex": latex}


def application(environ, start_response):
    if environ["PATH_INFO"] not in ROUTES:
        start_response("404 Not Found", [])
        return []
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    kind, text = ROUTES[environ["PATH_INFO"]](query)
    start_response("200 OK", [("Content-Type", kind)])
    return [text.encode()]


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, form, *values):
        pass


def main():
    server = wsgiref.simple_server.make_server(
        "127.0.0.1", 0, application, handler_class=Handler)
    if len(sys.argv) > 1:
        with open(sys.argv[1] + ".new", "w") as out:
            out.write("%d\n" % server.server_port)
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    if lazycore is not None:
        lazycore.ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
