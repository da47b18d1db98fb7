"""XML-RPC server in a thread, an SMTP dialogue with a tiny server, email
building and parsing, cookies.
"""
import email
import email.policy
import http.cookiejar
import http.cookies
import smtplib
import socketserver
import threading
import urllib.request
import xmlrpc.client
from email.headerregistry import Address
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from http.server import BaseHTTPRequestHandler, HTTPServer
from xmlrpc.server import SimpleXMLRPCServer

MAILS = []


class Smtp(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 hi")
        while line := self.rfile.readline().strip():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go")
                body = []
                while (part := self.rfile.readline()) != b".\r\n":
                    body.append(part)
                MAILS.append(b"".join(body))
                self.say("250 ok")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Cookies(BaseHTTPRequestHandler):
    def do_GET(self):
        jar = http.cookies.SimpleCookie(self.headers.get("Cookie", ""))
        n = int(jar["n"].value) + 1 if "n" in jar else 1
        self.send_response(200)
        self.send_header(
            "Set-Cookie",
            http.cookies.SimpleCookie({"n": str(n)}).output(header="").strip(),
        )
        self.end_headers()
        self.wfile.write(b"%d" % n)

    def log_message(self, *args):
        pass


def start(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def main():
    rpc = SimpleXMLRPCServer(
        ("127.0.0.1", 0), logRequests=False, allow_none=True
    )
    rpc.register_function(lambda a, b: divmod(a, b), "div")
    rpc.register_introspection_functions()
    rpc.register_multicall_functions()
    port = start(rpc)
    with xmlrpc.client.ServerProxy(
        "http://127.0.0.1:%d" % port, allow_none=True
    ) as proxy:
        print(proxy.div(17, 5), proxy.system.listMethods())
        try:
            proxy.div(1, 0)
        except xmlrpc.client.Fault as exc:
            print(exc.faultCode, "ZeroDivisionError" in exc.faultString)
        multi = xmlrpc.client.MultiCall(proxy)
        multi.div(9, 2)
        multi.div(8, 3)
        print(list(multi()))
    smtp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)
    message = EmailMessage()
    message["From"] = Address("Zoë", "z", "example.org")
    message["To"] = "b@example.org"
    message["Subject"] = "héllo " * 12
    message.set_content("text ü\n")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(
        b"\0\1",
        maintype="application",
        subtype="octet-stream",
        filename="x.bin",
    )
    message.set_boundary("BB")
    with smtplib.SMTP("127.0.0.1", start(smtp)) as client:
        client.send_message(message)
    got = email.message_from_bytes(MAILS[0], policy=email.policy.default)
    print(
        got["subject"] == message["subject"],
        [p.get_content_type() for p in got.walk()],
        got.get_body(("plain",)).get_content(),
    )
    old = MIMEMultipart(boundary="CC")
    old.attach(MIMEText("ä", "plain", "utf-8"))
    print(old.as_string().splitlines()[-4:])
    web = HTTPServer(("127.0.0.1", 0), Cookies)
    url = "http://127.0.0.1:%d/" % start(web)
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(jar)
    )
    print([opener.open(url).read() for _ in range(3)], [c.name for c in jar])
    for server in (rpc, smtp, web):
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
    print("done")
