"""gunicorn's configuration for the Procfile. Everything comes from the gateway's settings; add your own below."""

from gateway.server.gunicorn_conf import *  # noqa: F403 - gunicorn reads the names of this module
