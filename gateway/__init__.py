"""Consent Gateway: reads opt-outs, records consent durably, answers who may be contacted."""

__version__ = "0.1.0"
