# needs: python3-icalendar python3-dateutil
# packages: icalendar dateutil pytz
"""Calendars with icalendar: parsing, building, property types by name, errors
and rendering; dates and rules with dateutil.
"""
import copy
import datetime
import pickle

import dateutil.rrule
import dateutil.tz
import icalendar
import icalendar.cal
import icalendar.parser
from dateutil import easter, parser, relativedelta
from icalendar import Alarm, Calendar, Event, Todo, vCalAddress, vDatetime
from icalendar import vDDDTypes, vDuration, vRecur, vText
from icalendar.caselessdict import CaselessDict
from icalendar.parser import Contentline, Parameters
from icalendar.prop import TypesFactory, vPeriod

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x
BEGIN:VTIMEZONE
TZID:Here
BEGIN:STANDARD
DTSTART:20001029T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:S
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:D
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
UID:1
DTSTAMP:20200101T000000Z
DTSTART;TZID=Here:20200301T100000
DURATION:PT1H30M
RRULE:FREQ=WEEKLY;COUNT=5
EXDATE;TZID=Here:20200308T100000
SUMMARY:A long summary that has to be folded because it is longer than a line
 is\\, really
ATTENDEE;CN="Ann B";ROLE=CHAIR:mailto:ann@x
X-OWN;P=1:value
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT5M
DESCRIPTION:d
END:VALARM
END:VEVENT
END:VCALENDAR
"""


def calendars():
    calendar = Calendar.from_ical(EVENT)
    for part in calendar.walk():
        print(part.name, [k for k, _ in part.property_items()][:3])
    event = calendar.walk("VEVENT")[0]
    print(event["RRULE"].to_ical(), event.decoded("DTSTART"), event[
        "ATTENDEE"].params["CN"], event.decoded("DURATION"), event.get("x-own"))
    made = Event()
    made.add("dtstart", datetime.date(2020, 1, 2))
    made.add("rrule", {"freq": "daily", "until": datetime.date(2020, 1, 9)})
    made.add("categories", ["a", "b"])
    made.add("geo", (1.5, 2))
    who = vCalAddress("mailto:x@y")
    who.params["role"] = vText("CHAIR")
    made.add("attendee", who, encode=0)
    alarm = Alarm()
    alarm.add("trigger", datetime.timedelta(minutes=-5))
    made.add_component(alarm)
    print(made.to_ical(), made == copy.deepcopy(made))
    for kind, text in (("date-time", "20200102T030405Z"), ("duration", "-P1W"),
                       ("period", "20200101T000000Z/PT1H"), ("recur",
                                                            "FREQ=HOURLY"),
                       ("utc-offset", "+0130"), ("inline", "x"),
                       ("boolean", "TRUE")):
        print(kind, TypesFactory()[kind].from_ical(text))
    for bad in (lambda: vRecur.from_ical("FREQ=NEVER"), lambda: vDatetime.
                from_ical("x"), lambda: vDuration.from_ical("1h"),
                lambda: Contentline("no colon").parts(), lambda: vPeriod((1, 2)),
                lambda: Calendar.from_ical("BEGIN:VEVENT\nX:1")):
        try:
            print(bad())
        except (ValueError, IndexError) as error:
            print(type(error).__name__, str(error)[:40])
    print(Contentline.from_parts("K", Parameters({"p": "a,b"}), "v"),
          icalendar.parser.escape_char("a;b"), CaselessDict({"a": 1})["A"],
          vDDDTypes(datetime.time(1, 2)).to_ical(), Todo().name, pickle.loads(
              pickle.dumps(vText("t"))), icalendar.cal.component_factory["valarm"]
          is Alarm, easter.easter(2020).month)
    print(parser.parse("2 Jan 2020 3pm").isoformat(), relativedelta.relativedelta(
        months=+1) + datetime.date(2020, 1, 31), dateutil.tz.gettz("UTC").utcoffset(
        None), list(dateutil.rrule.rrulestr("FREQ=DAILY;COUNT=2", dtstart=parser.
                                            parse("20200101")))[1].day)


if __name__ == "__main__":
    calendars()
