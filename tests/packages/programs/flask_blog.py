# needs: python3-flask
# packages: flask werkzeug jinja2 itsdangerous
"""A small Flask application: blueprints, views by class, sessions, signals,
error handlers, commands and the test client.
"""
import json

import flask
import flask.json.provider
import flask.sessions
from flask import Blueprint, Flask, abort, current_app, g, request
from flask import session as user_session
from flask.cli import AppGroup
from flask.globals import app_ctx
from flask.views import MethodView, View
from jinja2 import DictLoader
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import BaseConverter

pages = Blueprint("pages", __name__, url_prefix="/pages")
group = AppGroup("posts", help="Work with posts.")
POSTS = {1: "first", 2: "second <b>"}


class Sorted(flask.json.provider.DefaultJSONProvider):
    sort_keys = True
    compact = True


class SlugConverter(BaseConverter):
    regex = "[a-z]+(?:-[a-z]+)*"

    def to_python(self, value):
        return value.split("-")

    def to_url(self, value):
        return "-".join(value)


class Posts(MethodView):
    init_every_request = False

    def get(self, key):
        if key not in POSTS:
            raise NotFound(f"no post {key}")
        return {"id": key, "title": POSTS[key]}

    def put(self, key):
        POSTS[key] = request.get_json()["title"]
        return flask.jsonify(stored=key), 201, {"X-Stored": str(key)}


class Listing(View):
    methods = ["GET"]

    def dispatch_request(self):
        return flask.render_template("list.html", posts=sorted(POSTS.items()))


@pages.route("/<slug:words>")
def by_slug(words):
    return flask.url_for(".by_slug", words=words + ["again"])


@pages.app_template_filter("shout")
def shout(text):
    return text.upper() + "!"


@pages.before_request
def remember():
    g.seen = request.endpoint


@pages.after_request
def tell(response):
    response.headers["X-Seen"] = g.seen
    return response


@group.command("count")
def count():
    flask.cli.click.echo(f"{len(POSTS)} posts in {current_app.name}")


def make_app():
    app = Flask("blog")
    app.config.from_mapping(SECRET_KEY="k", TESTING=True)
    app.json = Sorted(app)
    app.jinja_loader = DictLoader(
        {
            "base.html": "<h1>{% block t %}{% endblock %}</h1>",
            "list.html": "{% extends 'base.html' %}{% block t %}"
            "{% for k, t in posts %}{{ k }}:{{ t|shout }} {% endfor %}"
            "{% endblock %}",
        }
    )
    app.url_map.converters["slug"] = SlugConverter
    app.register_blueprint(pages)
    app.cli.add_command(group)
    app.add_url_rule("/posts/<int:key>", view_func=Posts.as_view("post"))
    app.add_url_rule("/posts", view_func=Listing.as_view("posts"))

    @app.route("/login/<name>")
    def login(name):
        user_session["name"] = name
        flask.flash(f"hello {name}")
        return flask.redirect(flask.url_for("whoami"))

    @app.route("/whoami")
    def whoami():
        return {"who": user_session["name"],
                "flashed": flask.get_flashed_messages()}

    @app.route("/teapot")
    def teapot():
        abort(418)

    @app.errorhandler(HTTPException)
    def failed(error):
        return {"error": error.name, "text": error.description[:20]}, \
            error.code

    return app


def main():
    app = make_app()
    client = app.test_client()
    for path in ("/posts/1", "/posts/9", "/posts", "/pages/some-words",
                 "/teapot", "/nowhere", "/login/ann", "/whoami"):
        answer = client.get(path)
        print(path, answer.status, answer.get_data(as_text=True).strip(),
              answer.headers.get("X-Seen"), answer.headers.get("Location"))
    answer = client.put("/posts/7", json={"title": "new"})
    print(answer.status, answer.json, answer.headers["X-Stored"])
    print(client.get("/pages/x--y").status, sorted(client.options("/posts/7").allow))
    with app.test_request_context("/pages/a-b?x=1", method="POST",
                                  data=json.dumps([1])):
        print(request.url_rule, request.args.to_dict(), app_ctx.app.name)
        print(flask.get_template_attribute.__name__, request.is_json)
    signer = flask.sessions.SecureCookieSessionInterface()
    serializer = signer.get_signing_serializer(app)
    print(serializer.loads(serializer.dumps({"a": (1, 2)})))
    print(app.test_cli_runner().invoke(args=["posts", "count"]).output.strip())
    print(sorted(str(rule) for rule in app.url_map.iter_rules()))
    print(client.get("/whoami").json)


if __name__ == "__main__":
    main()
