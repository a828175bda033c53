#!/usr/bin/env python3
"""Stands between an adapter and a simulator and holds both to the vendor's own OpenAPI document.

    openapi_judge.py DOCUMENT UPSTREAM [--pass PREFIX]...

Listens on a free port of this machine and prints its address as the first line. Every request is validated; a valid one
goes to UPSTREAM, whose answer is validated too and returned as it is. A request that is not valid is answered 418 and
goes nowhere. Paths that begin with a --pass prefix have no document (a token endpoint, say) and are only counted.
GET /.judged gives what was found, as JSON. It ends when its standard input does.
"""

import argparse
import http.client
import json
import sys
import threading
import warnings
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

# It says of OAuth 2 that it cannot check it: tokens are the simulator's.
warnings.filterwarnings("ignore", message="Unsupported scheme type")

# Where a document contradicts itself, what it says everywhere else: this one parameter of Spacebring's is declared a
# number, while every membership's id is declared a UUID.
SLIPS = {("put", "/community/memberships/v1/{id}", "id"): {"type": "string", "format": "uuid"}}

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"}
STATUS_INVALID = 418


class Request:
    """What openapi-core wants to know of a request."""

    def __init__(self, base, method, target, headers, body):
        parts = urlsplit(target)
        self.host_url = base
        self.path = parts.path
        self.method = method.lower()
        self.body = body or None
        self.content_type = headers.get("Content-Type", "").split(";")[0] or "application/json"
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(parts.query, keep_blank_values=True)),
            header=Headers(list(headers.items())),
            cookie=ImmutableMultiDict(),
        )


class Response:
    """What openapi-core wants to know of an answer."""

    def __init__(self, status, headers, body):
        self.status_code = status
        self.headers = Headers(headers)
        self.content_type = dict((k.lower(), v) for k, v in headers).get("content-type", "").split(";")[0]
        self.data = body


def words(error):
    """An error with its causes, without the values that it quotes at length."""
    said = []
    while error is not None and len(said) < 4:
        text = str(error) or type(error).__name__
        details = [getattr(it, "message", str(it)) for it in getattr(error, "schema_errors", ())]
        said.append("; ".join([text[:300], *(it[:300] for it in details[:4])]))
        error = error.__cause__
    return " <- ".join(said)


class Judge:
    def __init__(self, document, base, upstream, passes):
        with open(document, encoding="utf-8") as file:
            spec = json.load(file)
        for (method, path, name), schema in SLIPS.items():
            for parameter in spec["paths"].get(path, {}).get(method, {}).get("parameters", []):
                if parameter.get("name") == name:
                    parameter["schema"] = schema
        # The document names the vendor's own host.
        spec["servers"] = [{"url": base}]
        # One operation of Cobot's document has a path parameter that it does not declare, so the document itself is not
        # validated (None); the requests are.
        self.api = OpenAPI.from_dict(spec, config=Config(spec_validator_cls=None))
        self.paths = spec["paths"]
        self.base, self.upstream, self.passes = base, urlsplit(upstream), tuple(passes)
        self.lock = threading.Lock()
        self.operations, self.passed = Counter(), 0
        self.answers, self.invalid, self.invalid_answers = 0, [], []

    def report(self):
        with self.lock:
            return {
                "requests": sum(self.operations.values()),
                "operations": dict(sorted(self.operations.items())),
                "passed": self.passed,
                "answers": self.answers,
                "invalid": self.invalid,
                "invalid_answers": self.invalid_answers,
            }

    def request(self, request):
        """None, or why a request is not valid."""
        try:
            result = self.api.unmarshal_request(request)
            if result.errors:
                return "; ".join(words(it) for it in result.errors)
        except OpenAPIError as error:
            return words(error)
        return None

    def operation(self, request):
        """As the document names it: `get /spaces/{id}/bookings`."""
        want = request.path.strip("/").split("/")
        best = None
        for path in self.paths:
            have = path.strip("/").split("/")
            if len(have) == len(want) and all(h == w or h.startswith("{") for h, w in zip(have, want)):
                open_parts = sum(h.startswith("{") for h in have)
                if request.method in self.paths[path] and (best is None or open_parts < best[0]):
                    best = (open_parts, path)
        return f"{request.method} {best[1] if best else request.path}"

    def response(self, request, response):
        """None, or why an answer is not what the document says. Errors that it does not declare are no matter."""
        if response.status_code >= 400:
            return None
        try:
            result = self.api.unmarshal_response(request, response)
            if result.errors:
                return "; ".join(words(it) for it in result.errors)
        except OpenAPIError as error:
            return words(error)
        return None

    def forward(self, method, target, headers, body):
        """The simulator's answer: status, headers, body."""
        upstream = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        try:
            sent = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
            upstream.request(method, target, body=body or None, headers=sent)
            answer = upstream.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            return answer.status, kept, answer.read()
        finally:
            upstream.close()


def handler(judge):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def reply(self, status, headers, body):
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status not in (204, 304):
                self.wfile.write(body)

        def judged(self):
            if self.path == "/.judged":
                body = json.dumps(judge.report()).encode()
                return self.reply(200, [("Content-Type", "application/json")], body)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if judge.passes and self.path.startswith(judge.passes):
                with judge.lock:
                    judge.passed += 1
                return self.reply(*judge.forward(self.command, self.path, self.headers, body))
            request = Request(judge.base, self.command, self.path, self.headers, body)
            why, name = judge.request(request), judge.operation(request)
            with judge.lock:
                judge.operations[name] += 1
                if why:
                    judge.invalid.append(f"{self.command} {self.path}: {why}")
            if why:
                text = json.dumps({"errors": [{"detail": why}]}).encode()
                return self.reply(STATUS_INVALID, [("Content-Type", "application/json")], text)
            status, headers, answered = judge.forward(self.command, self.path, self.headers, body)
            wrong = judge.response(request, Response(status, headers, answered))
            with judge.lock:
                judge.answers += 1
                if wrong:
                    judge.invalid_answers.append(f"{self.command} {self.path} -> {status}: {wrong}")
            return self.reply(status, headers, answered)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = judged

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("document")
    parser.add_argument("upstream")
    parser.add_argument("--pass", dest="passes", action="append", default=[])
    args = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    base = f"http://127.0.0.1:{server.server_address[1]}"
    server.RequestHandlerClass = handler(Judge(args.document, base, args.upstream, args.passes))
    print(base, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
