"""gunicorn's configuration for the Procfile. Everything comes from the gateway's settings; add your own below."""

import runpy

globals().update(runpy.run_module("gateway.server.gunicorn_conf"))
