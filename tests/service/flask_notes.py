"""The smallest real Flask application: routes, a template, JSON, a form.

    flask_notes.py [PORT-FILE]
"""
import os
import sys

import flask
import werkzeug.serving

try:
    import lazycore
except ImportError:
    lazycore = None

app = flask.Flask(__name__)
notes = []
PAGE = "<ul>{% for note in notes %}<li>{{ note|e }}</li>{% endfor %}</ul>"


@app.get("/")
def index():
    return flask.render_template_string(PAGE, notes=notes)


@app.get("/health")
def health():
    return flask.jsonify(ok=True, notes=len(notes))


@app.post("/notes")
def add():
    notes.append(flask.request.form["text"])
    return flask.redirect(flask.url_for("index"))


def main():
    server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
    if len(sys.argv) > 1:
        with open(sys.argv[1] + ".new", "w") as out:
            out.write("%d\n" % server.server_port)
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    if lazycore is not None:
        lazycore.ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
