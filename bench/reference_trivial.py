"""Reference: the least that WSGI asks for. Under the gateway's own worker it tells what the generator can do."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment


def app(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", "11")])
    return [b"<Response/>"]
