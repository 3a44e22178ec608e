"""Reference: Flask with nothing behind it. Reads nothing, keeps nothing, answers with a constant."""

from flask import Flask

_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_XML = {"Content-Type": "text/xml"}

app = Flask(__name__)


@app.post("/sms/<account>")
def message(account: str) -> tuple[str, dict[str, str]]:  # noqa: ARG001 - of the route
    return _TWIML, _XML


@app.post("/u/<token>")
def one_click(token: str) -> tuple[str, dict[str, str]]:  # noqa: ARG001 - of the route
    return _TWIML, _XML


@app.get("/v1/consents/sms/<address>")
def status(address: str) -> tuple[str, dict[str, str]]:  # noqa: ARG001 - of the route
    return _TWIML, _XML
