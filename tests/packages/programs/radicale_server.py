# needs: radicale
# packages: radicale
"""A Radicale server's WSGI application over a temporary folder: calendars and
address books made, filled, searched, moved, and refused by rights.
"""
import base64
import io
import logging
import tempfile
import xml.etree.ElementTree as ET

import defusedxml.ElementTree as DefusedET
import radicale
import radicale.auth
import radicale.config
import radicale.httputils
import radicale.item
from radicale import Application, config, pathutils, rights, storage, xmlutils
from radicale.app import propfind
from radicale.auth import BaseAuth
from radicale.item import filter as item_filter
from radicale.log import logger
from radicale.rights import owner_only
from radicale.storage import multifilesystem

logger.setLevel(logging.CRITICAL)
EVENT = ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{0}"
         "\r\nDTSTAMP:20200101T000000Z\r\nDTSTART:2020010{0}T100000Z\r\nSUMMARY:"
         "Event {0}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c\r\nFN:Ann\r\nN:;Ann;;;\r\nEND:VCARD\r\n"
MAKE = """<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:C=
"urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/>
<C:addressbook/></resourcetype><displayname>Book</displayname></prop></set>
</mkcol>"""
QUERY = """<?xml version="1.0"?><C:calendar-query xmlns="DAV:" xmlns:C=
"urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>
<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="20200102T000000Z" end="20200104T000000Z"/>
</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"""


class Auth(BaseAuth):
    def login(self, login, password):
        return login if password == "pw-" + login else ""


class Rights(rights.BaseRights):
    def authorization(self, user, path):
        return "" if path.startswith("/secret") else \
            owner_only.Rights.authorization(Inner, user, path)


class Inner:
    _verify_user = True


def ask(app, method, path, body="", user="ann", **extra):
    got = {}
    login = base64.b64encode(f"{user}:pw-{user}".encode()).decode()
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "SCRIPT_NAME": "",
               "wsgi.input": io.BytesIO(body.encode()), "SERVER_NAME": "h",
               "SERVER_PORT": "1", "SERVER_PROTOCOL": "HTTP/1.1",
               "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
               "CONTENT_LENGTH": str(len(body.encode())), **extra}
    if user:
        environ["HTTP_AUTHORIZATION"] = "Basic " + login

    def start(status, headers):
        got.update(status=status, headers=dict(headers))

    text = b"".join(app(environ, start)).decode()
    print(method, path, got["status"], got["headers"].get("Content-Type"))
    return text


def hrefs(text):
    tree = ET.fromstring(text)
    print([e.text for e in tree.iter("{DAV:}href")], sorted({
        e.text for e in tree.iter("{DAV:}displayname") if e.text}))


def main():
    settings = config.load()
    print(settings.get("storage", "type"), sorted(settings.sections())[:3],
          radicale.config.DEFAULT_CONFIG_SCHEMA["auth"]["delay"]["value"])
    try:
        settings.update({"auth": {"nope": "1"}}, "test")
    except RuntimeError as error:
        print("refused", "nope" in str(error))
    with tempfile.TemporaryDirectory() as folder:
        settings.update({"storage": {"filesystem_folder": folder},
                         "auth": {"type": Auth, "delay": "0"},
                         "web": {"type": "none"},
                         "rights": {"type": Rights}}, "test", privileged=True)
        app = Application(settings)
        ask(app, "GET", "/", user=None)
        ask(app, "MKCALENDAR", "/ann/cal/")
        ask(app, "MKCALENDAR", "/bob/cal/")
        ask(app, "MKCOL", "/ann/book/", MAKE)
        for n in (1, 2, 3):
            ask(app, "PUT", f"/ann/cal/{n}.ics", EVENT.format(n))
        ask(app, "PUT", "/ann/book/c.vcf", CARD)
        print(ask(app, "PUT", "/ann/cal/bad.ics", "nonsense"))
        print("SUMMARY:Event 2" in ask(app, "GET", "/ann/cal/2.ics"))
        hrefs(ask(app, "REPORT", "/ann/cal/", QUERY))
        hrefs(ask(app, "PROPFIND", "/ann/", HTTP_DEPTH="1"))
        ask(app, "MOVE", "/ann/cal/1.ics", HTTP_DESTINATION=
            "http://h:1/ann/cal/9.ics", HTTP_HOST="h:1")
        ask(app, "DELETE", "/ann/cal/2.ics")
        ask(app, "GET", "/ann/cal/2.ics")
        ask(app, "PROPFIND", "/secret/")
        ask(app, "OPTIONS", "/", user="bob")
        print(ask(app, "GET", "/ann/cal/").count("BEGIN:VEVENT"),
              ask(app, "GET", "/ann/book/").count("BEGIN:VCARD"))
        store = storage.load(settings)
        with store.acquire_lock("r", "ann"):
            found = list(store.discover("/ann/cal/", depth="1"))
            print(found[0].path, sorted(item.href for item in found[1:]),
                  isinstance(store, storage.BaseStorage))
            items = sorted(i.href for i in found[0].get_all())
            print(items, found[0].get_meta("tag"), store.verify())
    for kind in ("htpasswd_nope", "none", "http_x_remote_user"):
        try:
            settings.update({"auth": {"type": kind}}, "test")
            print(type(radicale.auth.load(settings)).__module__)
        except RuntimeError as error:
            print(str(error).split(":")[0])
    item = radicale.item.Item(collection_path="ann/cal", text=EVENT.format(5))
    print(item.uid, item.component_name, item_filter.visit_time_ranges.__name__,
          radicale.item.check_and_sanitize_items(
              [item.vobject_item], tag="VCALENDAR") is None, pathutils.sanitize_path("/a/../b//"),
          xmlutils.make_clark("C:x") , DefusedET.fromstring("<a/>").tag,
          propfind.ApplicationPartPropfind.__name__, multifilesystem.Storage.
          __name__, radicale.httputils.NOT_FOUND[0])


if __name__ == "__main__":
    main()
