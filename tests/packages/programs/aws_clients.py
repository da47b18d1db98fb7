# needs: python3-boto3 python3-botocore python3-s3transfer python3-jmespath python3-docker
# packages: boto3 botocore s3transfer jmespath docker
"""Clients of AWS and Docker without either: stubs, signing, events, paginators,
waiters, resources, transfers, JMESPath, and a fake Docker engine.
"""
import datetime
import http.server
import io
import json
import os
import threading

import boto3
import boto3.dynamodb.conditions
import boto3.session
import botocore.auth
import botocore.config
import docker
import docker.errors
import docker.types
import jmespath
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED, awsrequest, hooks, stub, utils, xform_name
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.exceptions import ParamValidationError, UnknownServiceError
from botocore.parsers import create_parser
from botocore.response import StreamingBody
from docker.api.client import APIClient
from docker.utils import build, parse_bytes, parse_repository_tag
from docker.utils.ports import split_port
from jmespath import exceptions, functions
from s3transfer.manager import TransferManager
from s3transfer.subscribers import BaseSubscriber

os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b",
                  AWS_DEFAULT_REGION="eu-west-1", AWS_CONFIG_FILE="/none",
                  AWS_SHARED_CREDENTIALS_FILE="/none",
                  AWS_EC2_METADATA_DISABLED="true")


class Own(functions.Functions):
    @functions.signature({"types": ["string"]})
    def _func_shout(self, text):
        return text.upper()


class Progress(BaseSubscriber):
    total = 0

    def on_progress(self, future, bytes_transferred, **kwargs):
        self.total += bytes_transferred


def paths():
    data = {"a": [{"n": 1, "t": "x"}, {"n": 2, "t": "y"}], "m": {"k": None}}
    for text in ("a[?n > `1`].t | [0]", "a[*].{N: n, T: t}", "max_by(a, &n).t",
                 "m.k || 'none'", "sort_by(a, &t)[-1].n", "length(a[].t)"):
        print(text, jmespath.search(text, data))
    print(jmespath.search("shout(a[0].t)", data, jmespath.Options(
        custom_functions=Own())))
    for bad in ("a[", "nope(a)", "abs('x')", ""):
        try:
            jmespath.compile(bad).search(data)
        except exceptions.JMESPathError as error:
            print(type(error).__name__)


def amazon():
    session = boto3.session.Session(region_name="eu-west-1")
    s3 = session.client("s3")
    with stub.Stubber(s3) as stubber:
        stubber.add_response("list_buckets", {"Buckets": [{"Name": "b1"}]})
        stubber.add_client_error("get_object", "NoSuchKey", "gone", 404)
        stubber.add_response("put_object", {"ETag": "e"}, {
            "Bucket": "b", "Key": "k", "Body": stub.ANY})
        print(s3.list_buckets()["Buckets"])
        try:
            s3.get_object(Bucket="b", Key="k")
        except s3.exceptions.NoSuchKey as error:
            print(error.response["Error"], isinstance(error, ClientError))
        progress = Progress()
        with TransferManager(s3) as manager:
            manager.upload(io.BytesIO(b"data" * 5), "b", "k", subscribers=[
                progress]).result()
        print("sent", progress.total >= 0, stubber.assert_no_pending_responses())
    pages = s3.get_paginator("list_objects_v2")
    with stub.Stubber(s3) as stubber:
        for n, more in enumerate((True, False)):
            stubber.add_response("list_objects_v2", {
                "IsTruncated": more, "NextContinuationToken": "t",
                "Contents": [{"Key": f"k{n}"}]})
        print([k for page in pages.paginate(Bucket="b")
               for k in jmespath.search("Contents[].Key", page)])
    url = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
    print(url.split("?")[0], s3.waiter_names[:2], s3.can_paginate("get_object"),
          s3.meta.service_model.operation_model("PutObject").http["method"])
    for wrong in (lambda: s3.put_object(Bucket="b", Nope=2),
                  lambda: session.client("nope"),
                  lambda: boto3.client("sqs", endpoint_url="x")):
        try:
            wrong()
        except (ParamValidationError, UnknownServiceError, ValueError) as error:
            print(type(error).__name__, str(error).splitlines()[0][:40])
    seen = []
    s3.meta.events.register("before-send.s3.*", lambda request, **kw: seen.append(
        request.method) or awsrequest.AWSResponse(request.url, 200, {}, Raw()))
    print(s3.list_buckets().get("Buckets"), seen)
    bucket = session.resource("s3").Bucket("b")
    print(bucket.Object("k").bucket_name, sorted(bucket.meta.identifiers),
          type(bucket).__name__, bucket.objects.all().__class__.__name__)
    row = {"a": {"N": "1"}, "b": {"L": [{"S": "x"}, {"NULL": True}]}}
    print({k: TypeDeserializer().deserialize(v) for k, v in sorted(row.items())},
          TypeSerializer().serialize({"s": {"x"}}), boto3.dynamodb.conditions.Attr(
              "a").eq(1).get_expression()["operator"])
    request = awsrequest.AWSRequest("GET", "https://h/p?b=1&a=2", data=b"")
    request.context["timestamp"] = "20200102T000000Z"
    signer = botocore.auth.SigV4Auth(Credentials("a", "b"), "s3", "eu")
    print(signer.canonical_query_string(request), signer.credential_scope(request),
          sorted(botocore.auth.AUTH_TYPE_MAPS)[:3], xform_name("ListBucketsV2"))
    parsed = create_parser("query").parse({"body": b"<E><Error><Code>C</Code>"
                                           b"</Error></E>", "headers": {},
                                           "status_code": 400}, None)
    emitter = hooks.HierarchicalEmitter()
    emitter.register("a.*", lambda **kw: "all")
    emitter.register_last("a.b", lambda **kw: "last")
    print(parsed["Error"]["Code"], [r for _, r in emitter.emit("a.b")],
          StreamingBody(io.BytesIO(b"abc"), 3).read(), utils.is_valid_endpoint_url(
              "http://a"), botocore.config.Config(signature_version=UNSIGNED).retries,
          TransferConfig().use_threads, NoCredentialsError.fmt)


class Raw:
    def stream(self, **kwargs):
        yield b"<R><Buckets><Bucket><Name>n</Name></Bucket></Buckets></R>"


class Engine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.split("?")[0].split("/", 2)[-1]
        size = int(self.headers.get("Content-Length", 0))
        sent = json.loads(self.rfile.read(size) or "null")
        found = {"containers/json": [{"Id": "c" * 64}], "images/json": [],
                 "containers/" + "c" * 64 + "/json": {
                     "Id": "c" * 64, "Name": "/box", "State": {"Status": "up"},
                     "Config": {"Labels": {}, "Image": "i"}, "Image": "i:1"},
                 "version": {"ApiVersion": "1.40"},
                 "volumes/create": {"Name": (sent or {}).get("Name")}}
        body = json.dumps(found.get(path, {"message": "no " + path})).encode()
        self.send_response(200 if path in found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args):
        pass


def containers():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = docker.DockerClient(f"tcp://127.0.0.1:{server.server_port}",
                                 version="1.40")
    box = client.containers.list()[0]
    print(box.name, box.short_id, client.images.list(), client.volumes.create(
        "v").name, isinstance(client.api, APIClient))
    try:
        client.images.get("none")
    except docker.errors.NotFound as error:
        print(error.explanation)
    client.close()
    server.shutdown()
    server.server_close()
    print(docker.types.Mount("/t", "s", read_only=True), parse_bytes("2m"),
          parse_repository_tag("r:5/i:t"), split_port("127.0.0.1:1-2:3-4/udp"),
          docker.types.LogConfig(type="json-file"), build.PatternMatcher(["*.x"]).matches("a.x"))
    try:
        docker.types.Healthcheck(nope=1) and docker.types.Mount("", None, type=1)
    except (docker.errors.InvalidArgument, TypeError) as error:
        print(type(error).__name__, datetime.MINYEAR)


if __name__ == "__main__":
    paths()
    amazon()
    containers()
