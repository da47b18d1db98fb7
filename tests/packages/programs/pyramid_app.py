# needs: python3-pyramid python3-webob
# packages: pyramid webob venusian translationstring zope
"""A Pyramid application: traversal and URL dispatch, decorated views found by
a scan, tweens, security, events, renderers, sessions; and WebOb by itself.
"""
import pickle
import sys

import pyramid.testing
import webob
import webob.acceptparse
import webob.exc
from pyramid import httpexceptions as exc
from pyramid import security, threadlocal, traversal
from pyramid.authentication import AuthTktCookieHelper
from pyramid.authorization import ACLHelper, Allow, Authenticated, Everyone
from pyramid.config import Configurator
from pyramid.events import ContextFound, NewRequest, subscriber
from pyramid.exceptions import ConfigurationConflictError
from pyramid.i18n import TranslationStringFactory, get_localizer
from pyramid.renderers import JSON, render
from pyramid.request import Request
from pyramid.response import Response
from pyramid.session import SignedCookieSessionFactory
from pyramid.view import exception_view_config, notfound_view_config
from pyramid.view import view_config, view_defaults
from webob.dec import wsgify
from webob.multidict import MultiDict, NestedMultiDict

_ = TranslationStringFactory("app")
SEEN = []


class Folder(dict):
    __name__ = __parent__ = None
    __acl__ = [(Allow, Everyone, "view"), (Allow, "ann", "edit"),
               (Allow, Authenticated, "look")]

    def add(self, name, child):
        self[name] = child
        child.__name__, child.__parent__ = name, self
        return child


class Page(Folder):
    pass


ROOT = Folder()
ROOT.add("a", Page()).add("b", Page())


class Policy:
    def __init__(self):
        self.acl, self.helper = ACLHelper(), AuthTktCookieHelper("secret")

    def authenticated_userid(self, request):
        return request.headers.get("X-User")

    def permits(self, request, context, permission):
        user = self.authenticated_userid(request)
        who = [Everyone] + ([user, Authenticated] if user else [])
        return self.acl.permits(context, who, permission)


@view_config(context=Page, renderer="json")
def show(context, request):
    return {"name": context.__name__, "url": request.resource_path(context),
            "root": traversal.find_root(context) is ROOT}


@view_config(context=Page, name="edit", permission="edit", renderer="string")
def edit(request):
    return f"edit {request.authenticated_userid}"


@view_defaults(route_name="note", renderer="json")
class NoteViews:
    def __init__(self, request):
        self.request = request

    @view_config(request_method="GET", request_param="long")
    def long(self):
        return self.request.matchdict | {"long": True}

    @view_config(request_method="GET")
    def short(self):
        self.request.session["n"] = self.request.session.get("n", 0) + 1
        return [self.request.route_path("note", id=9, _query={"q": 1}),
                self.request.session["n"], self.request.shout("x")]

    @view_config(request_method="POST")
    def post(self):
        raise exc.HTTPConflict("odd", headers=[("X-E", "1")])


@notfound_view_config(append_slash=True)
def missing(request):
    return Response("none", status=404)


@exception_view_config(ZeroDivisionError, renderer="string")
def divided(error, request):
    request.response.status = 500
    return f"caught {error}"


@view_config(route_name="zero")
def zero(request):
    return 1 / 0


@subscriber(NewRequest)
@subscriber(ContextFound)
def heard(event):
    SEEN.append(type(event).__name__)


def tween_factory(handler, registry):
    def tween(request):
        response = handler(request)
        response.headers["X-Tween"] = registry.settings["name"]
        return response
    return tween


def make_app():
    with Configurator(settings={"name": "app"}, root_factory=lambda r: ROOT,
                      security_policy=Policy()) as config:
        config.set_session_factory(SignedCookieSessionFactory("k"))
        config.add_route("note", "/notes/{id:\\d+}")
        config.add_route("zero", "/zero/")
        config.add_tween(f"{__name__}.tween_factory")
        config.add_request_method(lambda request, x: x.upper(), "shout")
        adapter = JSON(sort_keys=True)
        adapter.add_adapter(complex, lambda c, request: [c.real, c.imag])
        config.add_renderer("json", adapter)
        config.add_directive("say", lambda config, x: config.action(
            ("say", x), SEEN.append, (x,)))
        config.say("said")
        config.scan(sys.modules[__name__])
        return config.make_wsgi_app()


def main():
    app = make_app()
    for path, headers in (("/a/b", {}), ("/a/edit", {}), ("/zero", {}),
                          ("/a/edit", {"X-User": "ann"}), ("/notes/3", {}),
                          ("/notes/3?long=1", {}), ("/zero/", {}), ("/q", {})):
        response = Request.blank(path, headers=headers).get_response(app)
        print(path, response.status, response.text[:60].replace("\n", " "),
              response.headers.get("X-Tween"), response.location)
    response = Request.blank("/notes/1", POST={"a": "b"}).get_response(app)
    print(response.status, response.headers.get("X-E"), SEEN[:3])
    config = pyramid.testing.setUp()
    config.add_route("x", "/x")
    print(render("json", {"c": 1}), threadlocal.get_current_registry() is
          config.registry, isinstance(security.Allowed("x"), int))
    request = pyramid.testing.DummyRequest()
    print(get_localizer(request).translate(_("hi ${n}", mapping={"n": 2})),
          traversal.find_resource(ROOT, "/a/b").__name__)
    pyramid.testing.tearDown()
    try:
        clash = Configurator()
        clash.add_route("r", "/1")
        clash.commit()
        clash.add_view(show, name="v")
        clash.add_view(zero, name="v")
        clash.commit()
    except ConfigurationConflictError as error:
        print("conflict", len(error._conflicts))
    except Exception as error:
        print(type(error).__name__)


def alone():
    request = webob.Request.blank("/p?a=1&a=2", accept="text/html;q=0.4, a/b")
    request.cookies["c"] = "v"
    print(request.GET.getall("a"), request.accept.acceptable_offers(
        ["text/html", "a/b"]), request.cookies["c"], request.path_url)
    response = webob.Response(json_body={"a": 1}, etag="x", charset="utf-8")
    response.cache_control.max_age = 5
    response.set_cookie("k", "v", httponly=True, samesite="lax")
    print(response.headerlist, response.conditional_response_app is not None)

    @wsgify
    def app(request):
        if request.path_info == "/no":
            raise webob.exc.HTTPGone(detail="gone")
        return request.path_info.upper()

    for path in ("/x", "/no"):
        print(webob.Request.blank(path).get_response(app).status)
    print(webob.exc.status_map[418 if 418 in webob.exc.status_map else 404],
          NestedMultiDict(MultiDict(a=1), MultiDict(b=2)).mixed(),
          webob.acceptparse.create_accept_language_header("de, en;q=0.5").lookup(
              ["en"], default="x"), webob.byterange.Range.parse("bytes=1-2"),
          pickle.loads(pickle.dumps(_("t"))), webob.etag.ETagMatcher(["a"]))


if __name__ == "__main__":
    main()
    alone()
