# needs: python3-djangorestframework
# packages: rest_framework django
"""A Django REST framework API: serializers, viewsets, routers, permissions,
throttles, parsers, renderers, pagination and the schema generator.
"""
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="k", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                           "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes",
                    "rest_framework", "rest_framework.authtoken"],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": [
            "rest_framework.permissions.IsAuthenticatedOrReadOnly"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_PAGINATION_CLASS":
            "rest_framework.pagination.PageNumberPagination",
        "PAGE_SIZE": 2, "TEST_REQUEST_DEFAULT_FORMAT": "json"})
django.setup()

import rest_framework.exceptions  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import filters, routers, serializers, status  # noqa: E402
from rest_framework import viewsets  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework.decorators import action, api_view  # noqa: E402
from rest_framework.parsers import JSONParser  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.schemas.openapi import AutoSchema  # noqa: E402
from rest_framework.test import APIClient, APIRequestFactory  # noqa: E402
from rest_framework.validators import UniqueValidator  # noqa: E402


class Note(models.Model):
    text = models.CharField(max_length=10, unique=True)
    owner = models.ForeignKey(User, models.CASCADE, null=True)
    stars = models.IntegerField(default=0)

    class Meta:
        app_label = "notes"


class NoteSerializer(serializers.ModelSerializer):
    owner = serializers.SlugRelatedField("username", read_only=True)
    loud = serializers.SerializerMethodField()

    class Meta:
        model = Note
        fields = ["id", "text", "owner", "stars", "loud"]

    def get_loud(self, note):
        return note.text.upper()

    def validate_stars(self, value):
        if value > 5:
            raise serializers.ValidationError("at most 5")
        return value


class Notes(viewsets.ModelViewSet):
    queryset = Note.objects.order_by("id")
    serializer_class = NoteSerializer
    filter_backends = [filters.SearchFilter, filters.OrderingFilter]
    search_fields = ["text"]

    def perform_create(self, serializer):
        serializer.save(owner=self.request.user)

    @action(detail=True, methods=["post"])
    def star(self, request, pk=None):
        note = self.get_object()
        note.stars += 1
        note.save()
        return Response({"stars": note.stars}, status.HTTP_202_ACCEPTED)


@api_view(["GET", "POST"])
def echo(request):
    if request.method == "POST":
        return Response(request.data)
    raise rest_framework.exceptions.Throttled(wait=3)


class Point(serializers.Serializer):
    x = serializers.FloatField(min_value=0)
    when = serializers.DateField(required=False)
    kind = serializers.ChoiceField(["a", "b"], default="a")
    tags = serializers.ListField(child=serializers.CharField(), required=False)


router = routers.DefaultRouter()
router.register("notes", Notes)
urlpatterns = [path("api/", include(router.urls)), path("echo/", echo)]


def main():
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    token = Token.objects.create(user=User.objects.create_user("ann"))
    client = APIClient()
    print(client.post("/api/notes/", {"text": "a"}).status_code)
    client.credentials(HTTP_AUTHORIZATION="Token " + token.key)
    for text, stars in (("one", 1), ("two", 9), ("one", 2), ("three", 3),
                        ("four", 4)):
        answer = client.post("/api/notes/", {"text": text, "stars": stars})
        print(answer.status_code, answer.json())
    for where in ("/api/", "/api/notes/", "/api/notes/?page=2",
                  "/api/notes/?search=o&ordering=-stars", "/api/notes/99/",
                  "/echo/", "/api/notes/?page=77"):
        answer = client.get(where)
        print(where, answer.status_code, answer.json())
    print(client.post("/api/notes/1/star/").json(),
          client.patch("/api/notes/1/", {"text": "uno"}).json()["loud"],
          client.delete("/api/notes/2/").status_code,
          client.put("/echo/", {}).status_code)
    print(client.post("/echo/", "{bad", content_type="application/json").json(),
          client.post("/echo/", "x", content_type="text/odd").status_code)
    point = Point(data={"x": "-1", "when": "soon", "kind": "z", "tags": [1, {}]})
    print(point.is_valid(), sorted(point.errors))
    print(Point(data={"x": "2"}).run_validation({"x": "2"}), repr(Point())[:40],
          [type(v) is UniqueValidator for v in
           NoteSerializer().fields["text"].validators][-1])
    request = APIRequestFactory().get("/", HTTP_ACCEPT="application/json")
    print(AutoSchema().map_serializer(Point())["properties"]["kind"],
          request.META["HTTP_ACCEPT"], JSONParser.media_type)


if __name__ == "__main__":
    main()
