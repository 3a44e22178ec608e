"""The table `[replies]`: how often, and for how long, people are answered."""

from pydantic import Field

from gateway.configuration.table import Table


class ReplySettings(Table):
    """The loop guard: two machines must not answer each other for ever. Consent is updated all the same."""

    window_minutes: int = Field(
        default=10,
        ge=1,
        le=1440,
        description="One reply of a kind to a person in so many minutes.",
    )
    per_day: int = Field(default=3, ge=1, le=100, description="Most replies of a kind to a person in a day.")
    clarify_hours: int = Field(
        default=24,
        ge=1,
        le=240,
        description="How long the answer to a clarifying question is waited for, in hours; then messages end.",
    )
    max_age_minutes: int = Field(
        default=5,
        ge=1,
        le=60,
        description=(
            "A reply that could not go out for so long is dropped: a confirmation after more than five "
            "minutes needs a consent of its own (47 CFR 64.1200(a)(12))."
        ),
    )
