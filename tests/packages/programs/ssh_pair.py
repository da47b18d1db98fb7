# needs: python3-paramiko python3-cryptography python3-nacl python3-bcrypt
# packages: paramiko cryptography nacl bcrypt
"""An SSH server and client in one process: keys of every kind, commands,
SFTP, forwarding, host keys, agents, configuration and errors.
"""
import io
import os
import socket
import tempfile
import threading

import bcrypt
import paramiko
import paramiko.client
import paramiko.ssh_exception
from paramiko import AutoAddPolicy, ECDSAKey, RSAKey, SSHClient, SSHConfig
from paramiko import DSSKey, HostKeys, Message, ServerInterface, SFTPServer
from paramiko import SFTPAttributes, Transport, common, sftp, util
from paramiko.ed25519key import Ed25519Key
from paramiko.hostkeys import HostKeyEntry
from paramiko.kex_group14 import KexGroup14SHA256
from paramiko.pkey import PublicBlob
from paramiko.sftp_handle import SFTPHandle
from paramiko.sftp_si import SFTPServerInterface
from nacl.signing import SigningKey

HOST = ECDSAKey.generate()
USER = RSAKey.generate(1024)


class Server(ServerInterface):
    def check_auth_password(self, user, password):
        good = bcrypt.checkpw(password.encode(), HASHED)
        return common.AUTH_SUCCESSFUL if good else common.AUTH_FAILED

    def check_auth_publickey(self, user, key):
        return common.AUTH_SUCCESSFUL if key == USER else common.AUTH_FAILED

    def get_allowed_auths(self, user):
        return "password,publickey"

    def check_channel_request(self, kind, number):
        return (common.OPEN_SUCCEEDED if kind == "session" else
                common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED)

    def check_channel_exec_request(self, channel, command):
        def run():
            channel.sendall(b"ran " + command)
            channel.sendall_stderr(b"err")
            channel.send_exit_status(3)
            channel.close()
        threading.Timer(0.2, run).start()
        return True


class Files(SFTPServerInterface):
    root = None

    def _at(self, path):
        return self.root + self.canonicalize(path)

    def list_folder(self, path):
        found = []
        for name in sorted(os.listdir(self._at(path))):
            attr = SFTPAttributes.from_stat(os.stat(self._at(path) + "/" + name))
            attr.filename = name
            found.append(attr)
        return found

    def stat(self, path):
        try:
            return SFTPAttributes.from_stat(os.stat(self._at(path)))
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)

    def open(self, path, flags, attr):
        handle = SFTPHandle(flags)
        mode = "wb" if flags & os.O_WRONLY else "rb"
        try:
            file = open(self._at(path), mode)
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
        handle.readfile = handle.writefile = file
        return handle

    def remove(self, path):
        os.remove(self._at(path))
        return sftp.SFTP_OK


HASHED = bcrypt.hashpw(b"pw", bcrypt.gensalt(4))


def serve(listener, servers):
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        transport = Transport(link)
        transport.add_server_key(HOST)
        transport.set_subsystem_handler("sftp", SFTPServer, Files)
        servers.append(transport)
        try:
            transport.start_server(server=Server())
        except (EOFError, paramiko.SSHException):
            pass


def client_story(port):
    client = SSHClient()
    client.set_missing_host_key_policy(AutoAddPolicy())
    options = dict(port=port, username="u", allow_agent=False,
                   look_for_keys=False, timeout=5)
    try:
        client.connect("127.0.0.1", password="no", **options)
    except paramiko.AuthenticationException as error:
        print(type(error).__name__)
    client.connect("127.0.0.1", password="pw", **options)
    _, out, err = client.exec_command("ls -l")
    print(out.read(), err.read(), out.channel.recv_exit_status())
    with client.open_sftp() as files:
        with files.open("new.txt", "w") as file:
            file.write("text")
        print(files.listdir("."), files.stat("new.txt").st_size,
              files.open("new.txt").read())
        files.putfo(io.BytesIO(b"abc"), "up")
        files.remove("new.txt")
        try:
            files.open("gone")
        except IOError as error:
            print(type(error).__name__)
    try:
        client.get_transport().open_channel("direct-tcpip", ("h", 1), ("h", 2))
    except paramiko.ssh_exception.ChannelException as error:
        print(error.code)
    print(client.get_transport().remote_version.split("_")[0],
          len(client.get_host_keys()))
    client.close()
    strict = SSHClient()
    strict.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        strict.connect("127.0.0.1", pkey=USER, **options)
    except paramiko.SSHException as error:
        print(str(error).split(" ", 2)[-1])
    strict.get_host_keys().add(f"[127.0.0.1]:{port}", HOST.get_name(), HOST)
    strict.connect("127.0.0.1", pkey=USER, **options)
    print(strict.get_transport().is_authenticated())
    strict.close()


def keys():
    out = io.StringIO()
    USER.write_private_key(out, password="secret")
    for word in ("secret", "wrong", None):
        try:
            again = RSAKey.from_private_key(io.StringIO(out.getvalue()), word)
            print(again == USER, again.get_bits())
        except paramiko.SSHException as error:
            print(type(error).__name__)
    signed = HOST.sign_ssh_data(b"data")
    print(HOST.verify_ssh_sig(b"data", Message(signed.asbytes())), HOST.can_sign(),
          DSSKey.__name__, Ed25519Key.__name__, KexGroup14SHA256.name)
    line = f"host {HOST.get_name()} {HOST.get_base64()}"
    entry = HostKeyEntry.from_line(line)
    hosts = HostKeys()
    hosts.add("host", HOST.get_name(), HOST)
    print(entry.hostnames, hosts.check("host", HOST), hosts.lookup("none"),
          PublicBlob.from_string(f"{HOST.get_name()} {HOST.get_base64()} c").comment,
          len(HostKeys.hash_host("h")))
    config = SSHConfig.from_text("Host a*\n  User ann\n  Port 5\nHost *\n  Port 6")
    message = Message()
    message.add_string("s")
    message.add_mpint(-5)
    message.rewind()
    print(config.lookup("abc")["user"], config.lookup("b").as_int("port"),
          message.get_text(), message.get_mpint(), util.deflate_long(256),
          SigningKey(b"k" * 32).verify_key.verify(SigningKey(b"k" * 32).sign(b"m")))


def main():
    keys()
    servers = []
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=serve, args=(listener, servers), daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory() as folder:
        Files.root = folder
        client_story(listener.getsockname()[1])
    for transport in servers:
        transport.close()
    listener.close()


if __name__ == "__main__":
    main()
