"""Django in one file: settings, a model, two views, WSGI on 127.0.0.1.

    django_notes.py [PORT-FILE]
"""
import os
import sys
import wsgiref.simple_server

import django
from django.conf import settings

try:
    import lazycore
except ImportError:
    lazycore = None

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="sample",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                           "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    USE_TZ=True)
django.setup()

from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.template import Context, Engine  # noqa: E402
from django.urls import path  # noqa: E402

PAGE = "<ul>{% for group in groups %}<li>{{ group.name }}</li>{% endfor %}</ul>"


def index(request):
    page = Engine().from_string(PAGE)
    groups = Group.objects.order_by("name")
    return HttpResponse(page.render(Context({"groups": groups})))


def health(request):
    Group.objects.get_or_create(name="health & safety")
    return JsonResponse({"ok": True, "notes": Group.objects.count()})


urlpatterns = [path("", index), path("health", health)]


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, form, *values):
        pass


def main():
    call_command("migrate", verbosity=0)
    server = wsgiref.simple_server.make_server(
        "127.0.0.1", 0, get_wsgi_application(), handler_class=Handler)
    if len(sys.argv) > 1:
        with open(sys.argv[1] + ".new", "w") as out:
            out.write("%d\n" % server.server_port)
        os.replace(sys.argv[1] + ".new", sys.argv[1])
    if lazycore is not None:
        lazycore.ready()
    server.serve_forever()


if __name__ == "__main__":
    main()
