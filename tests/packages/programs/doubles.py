# needs: python3-mock python3-responses python3-freezegun python3-parameterized python3-fake-factory python3-factory-boy python3-requests
# packages: mock responses parameterized faker factory freezegun
"""The test doubles of a suite that a service runs on itself: mocks, HTTP
answers, frozen time, made data by provider and locale names, factories."""
import datetime
import io
import random
import unittest

import factory
import factory.alchemy
import factory.fuzzy
import faker
import faker.config
import mock
import parameterized
import requests
import responses
from factory import Faker as Made, LazyAttribute, SubFactory, post_generation
from factory.errors import CyclicDefinitionError, InvalidDeclarationError
from factory.random import reseed_random
from faker import Faker
from faker.generator import Generator
from faker.providers import BaseProvider, internet
from freezegun import freeze_time
from freezegun.api import FakeDatetime
from mock import AsyncMock, MagicMock, call, patch, sentinel
from parameterized import param, parameterized_class
from responses import matchers, registries


class Ship:
    def __init__(self, name, crew, home=None, label=""):
        self.name, self.crew = name, crew
        self.home, self.label = home, label


class Port:
    def __init__(self, city):
        self.city = city


class PortFactory(factory.Factory):
    class Meta:
        model = Port

    city = factory.Iterator(["Kiel", "Rome"])


class ShipFactory(factory.Factory):
    class Meta:
        model = Ship

    class Params:
        big = factory.Trait(crew=100)

    name = factory.Sequence(lambda n: f"ship{n}")
    crew = factory.fuzzy.FuzzyInteger(1, 9)
    home = SubFactory(PortFactory)
    label = LazyAttribute(lambda o: o.name.upper())

    @classmethod
    def _create(cls, model, *args, **kwargs):
        return super()._create(model, *args, **dict(kwargs, label="made"))

    @post_generation
    def launch(obj, create, extracted, **kwargs):
        obj.launched = extracted or "no"


class Animals(BaseProvider):
    def animal(self):
        return self.random_element(["cat", "dog"])


@parameterized_class(("a", "b"), [(1, 2), (3, 4)])
class Case(unittest.TestCase):
    @parameterized.parameterized.expand([("x", 1), param("y", n=2)])
    def test_one(self, name, n=0):
        self.assertLess(self.a, self.b + n)

    @patch("os.getcwd", return_value="/mocked")
    def test_two(self, cwd):
        import os
        self.assertEqual(os.getcwd(), "/mocked")

    @freeze_time("2024-02-03")
    def test_three(self):
        self.assertIsInstance(datetime.datetime.now(), FakeDatetime)

    @responses.activate
    def test_four(self):
        responses.add(responses.GET, "http://h/a", json={"a": self.a})
        self.assertEqual(requests.get("http://h/a").json()["a"], self.a)


def http():
    with responses.RequestsMock(registry=registries.FirstMatchRegistry) as r:
        r.add("GET", "http://h/q", body="q", match=[matchers.query_param_matcher(
            {"x": "1"})], adding_headers={"X": "y"})
        r.add_callback("POST", "http://h/p", lambda req: (
            201, {}, req.body.upper()))
        r.add(responses.PUT, "http://h/e", body=requests.exceptions.Timeout("slow"))
        print(requests.get("http://h/q?x=1").headers["X"], requests.post(
            "http://h/p", data="abc").text)
        for url in ("http://h/e", "http://h/none"):
            try:
                requests.put(url)
            except requests.exceptions.RequestException as error:
                print(type(error).__name__)
        print(len(r.calls), r.calls[0].request.url)


def mocks():
    m = MagicMock(spec=Ship, name="m")
    m.sail = mock.Mock(side_effect=[1, KeyError("k")])
    print(m.sail(1, k=2), m.sail.mock_calls == [call(1, k=2)], isinstance(m, Ship))
    for bad in (m.sail, lambda: m.nothing, lambda: m.sail.assert_called_once()):
        try:
            bad()
        except (KeyError, AttributeError, AssertionError) as error:
            print(type(error).__name__, str(error)[:32])
    with patch.dict("os.environ", {"Q": "1"}), patch.object(
            Port, "city", sentinel.town, create=True):
        print(Port.city, isinstance(mock.create_autospec(Port)("x"), Port), sep="|")
    with patch("builtins.open", mock.mock_open(read_data="text")):
        print(open("none").read(), type(AsyncMock()).__name__)


def made():
    reseed_random(3)
    for locale in ("en_US", "de_DE", "ja_JP", "fr_FR"):
        fake = Faker(locale)
        fake.seed_instance(5)
        print(locale, fake.name(), fake.city(), fake.phone_number())
    fake = Faker()
    fake.seed_instance(1)
    for name in ("email", "ean13", "color_name", "credit_card_number", "job", "iban",
                 "ipv6", "user_agent", "license_plate", "isbn13", "mac_address",
                 "currency_code", "cryptocurrency_name", "ssn", "md5"):
        print(name, getattr(fake, name)())
    fake.add_provider(Animals)
    print(fake.animal(), fake.profile(["job"]), fake.format("word"),
          len(faker.config.AVAILABLE_LOCALES) > 20)
    for bad in (lambda: Faker("xx_XX"), lambda: fake.nothing()):
        try:
            bad()
        except AttributeError as error:
            print(type(error).__name__)
    ships = ShipFactory.build_batch(2, launch="yes")
    print([(s.name, s.crew, s.label, s.home.city, s.launched) for s in ships],
          ShipFactory(big=True, home__city="Oslo").home.city, ShipFactory.stub().crew)
    print(factory.build(dict, FACTORY_CLASS=factory.DictFactory, a=Made("word")),
          factory.make_factory(Port, city="Bonn")().city, Generator().random is
          random, internet.Provider.__name__)
    try:
        factory.build(Port, city=LazyAttribute(lambda o: o.x), x=LazyAttribute(
            lambda o: o.city))
    except (CyclicDefinitionError, InvalidDeclarationError) as error:
        print(type(error).__name__)


out = io.StringIO()
suite = unittest.defaultTestLoader.loadTestsFromModule(__import__("__main__"))
result = unittest.TextTestRunner(out, verbosity=2).run(suite)
print(result.testsRun, result.wasSuccessful(), out.getvalue().count("ok"))
http()
mocks()
made()
