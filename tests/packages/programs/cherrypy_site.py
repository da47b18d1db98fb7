# needs: python3-cherrypy3
# packages: cherrypy cheroot
"""A CherryPy site: trees, dispatchers, tools, sessions, JSON, errors, the
process bus with plug-ins, and its server on the loopback.
"""
import http.cookiejar
import urllib.error
import urllib.request

import cheroot.wsgi
import cherrypy
import cherrypy.lib.caching
import cherrypy.process.plugins
from cheroot import errors as cheroot_errors
from cherrypy import _cptools, tools
from cherrypy.lib import auth_basic, httputil, reprconf, sessions
from cherrypy.lib.httputil import HeaderMap, header_elements
from cherrypy.process.wspbus import Bus, states


def upper():
    cherrypy.response.body = [b"".join(cherrypy.response.body).upper()]


cherrypy.tools.upper = cherrypy.Tool("before_finalize", upper, priority=10)


class Notes(_cptools.SessionTool):
    pass


@cherrypy.expose
class Rest:
    def GET(self, key=None):
        return f"got {key}"

    @cherrypy.tools.json_in()
    @cherrypy.tools.json_out()
    def PUT(self, key):
        return {"key": key, "data": cherrypy.request.json}


@cherrypy.popargs("year")
class Blog:
    @cherrypy.expose
    def index(self, year="none"):
        return f"blog {year}"


class Root:
    blog = Blog()

    @cherrypy.expose
    def index(self, a="0", **rest):
        return f"index {a} {sorted(rest.items())}"

    @cherrypy.expose(["also"])
    @cherrypy.tools.upper()
    def loud(self):
        return "loud"

    @cherrypy.expose
    def count(self):
        cherrypy.session["n"] = cherrypy.session.get("n", 0) + 1
        return str(cherrypy.session["n"])

    @cherrypy.expose
    def go(self):
        raise cherrypy.HTTPRedirect("/loud")

    @cherrypy.expose
    def inside(self):
        raise cherrypy.InternalRedirect("/loud")

    @cherrypy.expose
    def fail(self, how="http"):
        if how == "http":
            raise cherrypy.HTTPError(409, "odd")
        raise ValueError("broken")

    @cherrypy.expose
    def stream(self):
        yield "a"
        yield "b"

    stream._cp_config = {"response.stream": True}

    @cherrypy.expose
    def default(self, *parts):
        return "default " + "/".join(parts)


class Ticks(cherrypy.process.plugins.SimplePlugin):
    def start(self):
        print("plug-in start")

    def stop(self):
        print("plug-in stop")

    def tick(self, n):
        return n * 2


def main():
    cherrypy.config.update({
        "log.screen": False, "engine.autoreload.on": False,
        "server.socket_host": "127.0.0.1", "server.socket_port": 0,
        "environment": "embedded", "request.show_tracebacks": False})
    cherrypy.server.unsubscribe()
    app = cherrypy.tree.mount(Root(), "/", {
        "/": {"tools.sessions.on": True, "tools.encode.on": True,
              "tools.gzip.on": True, "error_page.409": lambda **kw:
              "custom " + kw["message"]},
        "/secret": {"tools.auth_basic.on": True, "tools.auth_basic.realm": "r",
                    "tools.auth_basic.checkpassword":
                        auth_basic.checkpassword_dict({"u": "p"})}})
    cherrypy.tree.mount(Rest(), "/rest", {"/": {
        "request.dispatch": cherrypy.dispatch.MethodDispatcher()}})
    ticks = Ticks(cherrypy.engine)
    ticks.subscribe()
    cherrypy.engine.subscribe("tick", ticks.tick)
    cherrypy.engine.start()
    print(cherrypy.engine.publish("tick", 4), cherrypy.engine.state ==
          states.STARTED)
    server = cheroot.wsgi.Server(("127.0.0.1", 0), cherrypy.tree)
    server.prepare()
    import threading
    thread = threading.Thread(target=server.serve)
    thread.start()
    base = "http://127.0.0.1:%d" % server.bind_addr[1]
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(
        http.cookiejar.CookieJar()))
    for path in ("/?a=1&b=2", "/also", "/count", "/count", "/go", "/inside",
                 "/fail", "/fail?how=x", "/stream", "/x/y", "/blog/2020/",
                 "/secret", "/rest/?key=3"):
        try:
            answer = opener.open(base + path, timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        body = answer.read()
        print(path, answer.status, body[:40] if b"<!" not in body else "page")
    request = urllib.request.Request(base + "/rest/?key=k", b"[1]", {
        "Content-Type": "application/json"}, method="PUT")
    print(opener.open(request).read())
    server.stop()
    thread.join()
    cherrypy.engine.exit()
    print(app.find_config("/", "tools.gzip.on"), sorted(cherrypy.tree.apps),
          header_elements("Accept", "a;q=0.5, b")[0].value,
          HeaderMap({"a-b": "1"})["A-B"], httputil.parse_query_string("a=1&a=2"),
          reprconf.unrepr("[1, {'a': (2,)}, 'x' * 2]"), sessions.RamSession.__name__)
    try:
        reprconf.unrepr("nope.x")
    except Exception as error:
        print(type(error).__name__)
    bus = Bus()
    bus.subscribe("main", lambda: 1 / 0)
    try:
        bus.publish("main")
    except Exception as error:
        print(type(error).__name__, cheroot_errors.MaxSizeExceeded.__name__)
    print(cherrypy.lib.caching.AntiStampedeCache.__name__, issubclass(
        Notes, cherrypy.Tool), sorted(t for t in dir(tools) if "json" in t))


if __name__ == "__main__":
    main()
