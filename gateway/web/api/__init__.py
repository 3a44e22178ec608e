"""`/v1`: the JSON API."""

from gateway.web.api.blueprint import register
from gateway.web.api.description import api_options

__all__ = ["api_options", "register"]
