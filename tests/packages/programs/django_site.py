# needs: python3-django
# packages: django asgiref sqlparse
"""A Django site in one file: models, migrations, admin, forms, templates,
middleware, signals, cache, management commands and the test client.
"""
import io
import sys
import types

import django
from django.conf import settings

settings.configure(
    DEBUG=False, SECRET_KEY="k", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                           "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages",
                    "django.contrib.admin", "django.contrib.humanize", __name__],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "builtins": ["django.contrib.humanize.templatetags.humanize"],
            "loaders": [("django.template.loaders.locmem.Loader", {
                "t.html": "{{ n|intcomma }} {{ who|title }} {% for x in xs %}"
                          "{% cycle 'a' 'b' %}{{ x }}{% endfor %}"}),
                "django.template.loaders.app_directories.Loader"],
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages"]}}],
    CACHES={"default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    STATIC_URL="/static/", EMAIL_BACKEND=
    "django.core.mail.backends.locmem.EmailBackend")
django.setup()

from django import forms, http  # noqa: E402
from django.contrib import admin  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core import mail, serializers, signing  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.paginator import Paginator  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models.signals import post_save  # noqa: E402
from django.shortcuts import render  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.urls import include, path, re_path, reverse  # noqa: E402
from django.utils.translation import gettext_lazy, ngettext  # noqa: E402
from django.views.generic import ListView, TemplateView  # noqa: E402


class Book(models.Model):
    title = models.CharField(gettext_lazy("title"), max_length=20)
    owner = models.ForeignKey(User, models.CASCADE, related_name="books")
    price = models.DecimalField(max_digits=5, decimal_places=2, default=1)
    tags = models.JSONField(default=list)

    class Meta:
        app_label = "__main__"


class BookForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ["title", "price"]


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title", "price"]


class Books(ListView):
    queryset = Book.objects.order_by("title")

    def render_to_response(self, context):
        return http.JsonResponse({"books": [b.title for b in
                                            context["object_list"]]})


def page(request):
    return render(request, "t.html", {"n": 12345, "who": "ann b", "xs": "pq"})


shop = types.ModuleType("shop_urls")
shop.urlpatterns = [path("books/", Books.as_view(), name="books")]
shop.app_name = "shop"
sys.modules["shop_urls"] = shop
urlpatterns = [path("page/", page, name="page"), path("admin/", admin.site.urls),
               path("shop/", include("shop_urls", namespace="shop")),
               re_path(r"^x/(?P<y>\d{4})/$", TemplateView.as_view(
                   template_name="t.html"), name="year")]


def main():
    post_save.connect(lambda sender, instance, **_: print(
        "saved", instance.title), sender=Book, weak=False)
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Book)
    ann = User.objects.create_superuser("ann", "a@example.org", "pw")
    ann.groups.add(Group.objects.create(name="readers"))
    for n, title in enumerate(["Sea", "Air", "Ice"]):
        Book.objects.create(title=title, owner=ann, price=n + 1, tags=[title])
    print(Book.objects.aggregate(s=models.Sum("price"), n=models.Count("id")),
          list(Book.objects.filter(owner__groups__name="readers").exclude(
              models.Q(title="Sea")).values_list("title", flat=True)))
    try:
        with transaction.atomic():
            Book.objects.update(price=models.F("price") + 1)
            raise ValueError("undo")
    except ValueError as error:
        print(error, Book.objects.annotate(big=models.Case(models.When(
            price__gt=2, then=models.Value("yes")), default=models.Value(
                "no"))).order_by("id").values_list("big", flat=True)[:])
    print(serializers.serialize("json", Book.objects.all()[:1],
                                fields=["title"]),
          list(serializers.deserialize("json", "[]")))
    form = BookForm({"title": "x" * 30, "price": "no"})
    print(form.is_valid(), form.errors.get_json_data()["price"],
          forms.EmailField().clean("a@b.org"), BookForm()["title"])
    client = Client()
    print(client.login(username="ann", password="pw"))
    for where in (reverse("page"), reverse("shop:books"), "/x/2020/", "/gone/",
                  "/admin/__main__/book/", reverse("admin:auth_user_add")):
        answer = client.get(where)
        print(where, answer.status_code, len(answer.content) > 9,
              answer.content[:60] if answer.status_code == 200 and
              b"<!DOC" not in answer.content else "")
    request = RequestFactory().post("/page/", {"a": "1"})
    print(request.POST.dict(), Paginator([1, 2, 3], 2).page(2).object_list)
    mail.send_mail("hi", "body", "a@b.org", ["c@d.org"])
    print(mail.outbox[0].subject, signing.loads(signing.dumps([1])),
          cache.get_or_set("k", 5), cache.incr("k"),
          ngettext("%d book", "%d books", 2) % 2)
    out = io.StringIO()
    call_command("check", stdout=out)
    call_command("sqlmigrate", "auth", "0001", stdout=out)
    print(out.getvalue().splitlines()[0], "CREATE TABLE" in out.getvalue())


if __name__ == "__main__":
    main()
