# needs: python3-vobject python3-dateutil
# packages: vobject
"""Calendars and cards with vobject: parsing, building, recurring events, time
zones, behaviours, errors and rendering.
"""
import copy
import datetime

import dateutil.rrule
import dateutil.tz
import vobject
import vobject.base
import vobject.icalendar
from vobject import iCalendar, newFromBehavior, readComponents, readOne, vCard
from vobject.base import Component, ParseError, ValidateError
from vobject.behavior import Behavior
from vobject.hcalendar import HCalendar
from vobject.vcard import Address, Name

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
CARD = """BEGIN:VCARD
VERSION:3.0
N:B;Ann;;Dr.;
FN:Ann B
TEL;TYPE=home,cell:1
EMAIL:a@b
ADR:;;Street 1;Town;;123;X
item1.URL:http://x
item1.X-ABLABEL:own
NOTE:é
END:VCARD
"""


class Hat(Behavior):
    isComponent = True
    name = "HAT"
    knownChildren = {"SIZE": (1, 1, None)}


def objects():
    calendar = readOne(EVENT)
    event = calendar.vevent
    print(event.summary.value, event.dtstart.value, event.attendee.params,
          [str(d) for d in event.rruleset], event.valarm.trigger.value)
    event.rruleset = dateutil.rrule.rruleset()
    event.add("location").value = "a;b\nc"
    again = readOne(calendar.serialize())
    print(again.vevent.location.value, again.vevent.x_own.value,
          list(again.getChildren())[0].name, copy.copy(event).uid.value)
    card = readOne(CARD)
    print(card.n.value, card.adr.value.city, card.tel.type_paramlist,
          card.contents["x-ablabel"][0].group, card.note.value)
    made = vCard()
    made.add("n").value = Name("Last", "First", prefix=["P", "Q"])
    made.add("adr").value = Address("S", "C")
    try:
        made.serialize()
    except ValidateError as error:
        print(error)
    made.add("fn").value = "First Last"
    print(made.serialize().splitlines()[1:5])
    for bad in ("BEGIN:VCARD\nnonsense\nEND:VCARD", "END:VEVENT",
                "BEGIN:VEVENT\nDTSTART:never\nEND:VEVENT"):
        try:
            print(readOne(bad))
        except (ParseError, ValidateError, StopIteration) as error:
            print(type(error).__name__, str(error)[:40])
    vobject.base.registerBehavior(Hat)
    hat = newFromBehavior("HAT")
    hat.add("size").value = "5"
    print(hat.serialize().split(), isinstance(hat, Component), len(list(
        readComponents(CARD + CARD))), vobject.icalendar.stringToDurations("P1D"),
        vobject.icalendar.getTzid("Here") is not None, HCalendar.__name__)
    journal = iCalendar()
    todo = journal.add("vtodo")
    todo.add("due").value = datetime.datetime(2020, 1, 2, tzinfo=dateutil.tz.UTC)
    todo.add("uid").value = "u"
    journal.add("vfreebusy").add("comment").value = "c"
    print(journal.vtodo.due.value, sorted(journal.contents), vobject.icalendar.
          timedeltaToString(datetime.timedelta(hours=-26)))


if __name__ == "__main__":
    objects()
