"""TwiML, the XML that Twilio takes as the answer to a webhook. Only `Response` and `Message` are needed."""

import re
from collections.abc import Sequence
from functools import lru_cache
from xml.sax.saxutils import escape

CONTENT_TYPE = "text/xml; charset=utf-8"
EMPTY = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'

_HEAD = '<?xml version="1.0" encoding="UTF-8"?><Response>'
# All that the production Char of XML 1.0 leaves out, lone surrogates included.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Readers turn a bare carriage return into a line feed.
_ENTITIES = {"\r": "&#13;"}


def render(texts: Sequence[str]) -> bytes:
    """Return a document that sends each text as one message, or none.

    Characters that XML 1.0 cannot carry are dropped, and so are blank texts: Twilio rejects an empty message.
    """
    return _document(tuple(texts))


# A business sends the same few texts again and again.
@lru_cache(maxsize=512)
def _document(texts: tuple[str, ...]) -> bytes:
    legal = [_ILLEGAL.sub("", text) for text in texts]
    messages = [f"<Message>{escape(text, _ENTITIES)}</Message>" for text in legal if text.strip()]
    if not messages:
        return EMPTY
    return f"{_HEAD}{''.join(messages)}</Response>".encode()
