"""Mail, MIME, HTML, XML-RPC and URLs, without a network."""
import base64
import email
import email.policy
import html
import html.parser
import http.server
import mimetypes
import threading
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as etree
import xmlrpc.client
from email.message import EmailMessage
from email.utils import formataddr, parseaddr


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name == "href"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path != "/page":
            self.send_error(404)
            return
        body = "<a href='/%s'>" % urllib.parse.parse_qs(url.query)["q"][0]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *values):
        pass


def mail():
    message = EmailMessage()
    message["From"] = formataddr(("Ren\u00e9", "rene@example.org"))
    message["Subject"] = "caf\u00e9"
    message.set_content("text")
    kind = mimetypes.guess_type("x.png")[0].split("/")
    message.add_attachment(b"\x89PNG", maintype=kind[0], subtype=kind[1],
                           filename="x.png")
    back = email.message_from_bytes(message.as_bytes(),
                                    policy=email.policy.default)
    print(back["subject"], parseaddr(str(back["from"])))
    print([(part.get_content_type(), part.get_filename())
           for part in back.walk()])
    print(base64.b64encode(next(back.iter_attachments()).get_content()))


def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = "http://127.0.0.1:%d/" % server.server_address[1]
    query = urllib.parse.urlencode({"q": "a b&c"})
    with urllib.request.urlopen(base + "page?" + query) as answer:
        links = Links()
        links.feed(answer.read().decode())
        print(answer.status, links.found, answer.headers["content-type"])
    try:
        urllib.request.urlopen(base + "other")
    except urllib.error.HTTPError as error:
        print(error.code, error.reason)
    server.shutdown()
    server.server_close()


mail()
web()
print(html.escape("<&>"), html.unescape("&lt;&eacute;"))
print(xmlrpc.client.loads(xmlrpc.client.dumps((1, "two", [3.5]), "call")))
print(etree.tostring(etree.fromstring("<a b='1'><c/>t</a>")).decode())
