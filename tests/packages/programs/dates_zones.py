# needs: python3-dateutil python3-tz python3-tzlocal python3-arrow python3-pendulum python3-babel python3-humanize python3-freezegun
# packages: dateutil pytz tzlocal arrow pendulum babel humanize freezegun
"""A calendar service: parsing, rules, zones and locales of seven libraries,
locales by name, a frozen clock, pickles of zones, errors."""
import copy
import datetime as dt
import os
import pickle
import time

os.environ["TZ"] = "Europe/Berlin"
time.tzset()

import arrow                                               # noqa: E402
import arrow.locales                                       # noqa: E402
import babel                                               # noqa: E402
import babel.dates                                         # noqa: E402
import dateutil.parser                                     # noqa: E402
import humanize                                            # noqa: E402
import pendulum                                            # noqa: E402
import pytz                                                # noqa: E402
import tzlocal                                             # noqa: E402
from arrow.parser import ParserError as ArrowError         # noqa: E402
from babel import Locale, lists, numbers, plural, units    # noqa: E402
from babel.core import UnknownLocaleError                  # noqa: E402
from babel.messages import catalog, extract, mofile, pofile  # noqa: E402
from babel.support import Format, LazyProxy                # noqa: E402
from dateutil import easter, relativedelta, rrule, tz, zoneinfo  # noqa: E402
from dateutil.relativedelta import FR                      # noqa: E402
from freezegun import freeze_time                          # noqa: E402
from humanize.time import precisedelta                     # noqa: E402
from pendulum.parsing.exceptions import ParserError        # noqa: E402
from pendulum.tz.zoneinfo.exceptions import InvalidTimezone  # noqa: E402
from pytz.exceptions import AmbiguousTimeError             # noqa: E402


class Plan(rrule.rruleset):
    def add(self, text):
        self.rrule(rrule.rrulestr(text))
        return self


class Info(dateutil.parser.parserinfo):
    MONTHS = [("jan", "janvier")] + dateutil.parser.parserinfo.MONTHS[1:]


moment = dt.datetime(2024, 3, 30, 12, 0)


def zones():
    berlin = pytz.timezone("Europe/Berlin")
    print(berlin.localize(moment), berlin.normalize(berlin.localize(moment) +
                                                    dt.timedelta(1)).dst())
    print(pickle.loads(pickle.dumps(berlin)) is berlin, pytz.country_names["at"],
          pytz.country_timezones("at"), copy.deepcopy(pytz.utc) is pytz.utc)
    for bad in (lambda: pytz.timezone("No/Where"), lambda: berlin.localize(
            dt.datetime(2024, 10, 27, 2, 30), is_dst=None)):
        try:
            bad()
        except (pytz.UnknownTimeZoneError, AmbiguousTimeError) as error:
            print(type(error).__name__)
    print(tzlocal.get_localzone_name(), moment.astimezone(tz.gettz(
        "America/New_York")), tz.resolve_imaginary(dt.datetime(
            2024, 3, 31, 2, 30, tzinfo=tz.gettz("Europe/Berlin"))))
    print(len(zoneinfo.get_zonefile_instance().zones) > 100, tz.tzstr("EST5EDT"))


def parsed():
    print(dateutil.parser.parse("1 janvier 2024", Info()), dateutil.parser
          .isoparse("2024-W05-2"), easter.easter(2024))
    print(moment + relativedelta.relativedelta(months=+1, weekday=FR(-1)),
          [d.day for d in Plan().add("DTSTART:20240101T000000\nRRULE:FREQ="
                                     "WEEKLY;COUNT=3;BYDAY=TU")])
    for bad in (lambda: dateutil.parser.parse("32 foo"), lambda: arrow.get(
            "x"), lambda: pendulum.parse("nope"), lambda: pendulum.timezone(
                "No/Zone"), lambda: arrow.utcnow().humanize(locale="xx")):
        try:
            bad()
        except (dateutil.parser.ParserError, ArrowError, ParserError,
                InvalidTimezone, ValueError) as error:
            print(type(error).__name__)
    a = arrow.get("2024-01-31T10:00+01:00")
    print(a.shift(months=1), a.to("US/Pacific").format("dddd ZZ"), a.span("week"))
    for name in ("de", "ja", "ru", "fr"):
        print(name, a.humanize(a.shift(hours=-3), locale=name), arrow.locales
              .get_locale(name).month_name(1))
    p = pendulum.datetime(2024, 1, 31, tz="Asia/Tokyo")
    print(p.add(months=1), p.diff(p.add(days=400)).in_words(locale="de"),
          p.format("dddd D MMMM", locale="fr"), pickle.loads(pickle.dumps(p)))
    print(pendulum.parse("P1DT2H"), pendulum.period(p, p.add(days=2)).range(
        "days").__next__(), pendulum.duration(days=8).weeks)


def said():
    for name in ("de", "ar", "ja", "en_GB"):
        one = Locale.parse(name)
        print(one.display_name, babel.dates.format_date(moment, "full", name),
              numbers.format_currency(1234.5, "EUR", locale=name),
              lists.format_list(["a", "b"], locale=one), one.plural_form(2),
              units.format_unit(3, "meter", locale=name))
    print(Format("de").timedelta(dt.timedelta(3)), str(LazyProxy(str.upper, "x")),
          plural.to_python({"one": "n is 1"})(1))
    cat = catalog.Catalog("de")
    cat.add("one", "eins")
    import io
    out, binary = io.BytesIO(), io.BytesIO()
    pofile.write_po(out, cat, omit_header=True)
    mofile.write_mo(binary, cat)
    binary.seek(0)
    print(out.getvalue(), len(mofile.read_mo(binary)), list(extract.extract(
        "python", io.BytesIO(b"_('hello')"))))
    try:
        Locale.parse("xx_YY")
    except UnknownLocaleError as error:
        print(error)
    print(humanize.intcomma(12345), humanize.naturalsize(3e6, binary=True),
          precisedelta(dt.timedelta(hours=3, seconds=4)), humanize.i18n
          .activate("de") and humanize.naturaldelta(dt.timedelta(1)))


with freeze_time("2024-05-06 07:08:09", tick=False) as clock:
    print(dt.datetime.now(), time.time(), dt.date.today(), arrow.utcnow())
    clock.tick(60)
    print(dt.datetime.utcnow(), isinstance(dt.datetime.now(), dt.datetime))
zones()
parsed()
said()
