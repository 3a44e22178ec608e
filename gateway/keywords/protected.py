"""The words that are read in every configuration: those that end consent by law, and those that all networks know."""

from gateway.keywords.reading import ReadingClass

# 47 CFR 64.1200(a)(10), as amended by FCC 24-24, in force since 2025-04-11: a reply with one of these words
# "constitutes a reasonable means per se to revoke consent". No lexicon and no program can take one away.
PROTECTED = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
PROTECTED_BY = "47 CFR 64.1200(a)(10)"
PROTECTED_LANGUAGE = "en"

# What our answers ask for where a language has no texts of its own, and what networks in the United States take
# in every language (Twilio, "Twilio support for opt-out keywords"). A language may read them in its own way.
EVERYWHERE = {
    ReadingClass.OPT_IN: ("start", "unstop"),
    ReadingClass.OPT_IN_CONFIRM: ("yes",),
    ReadingClass.HELP: ("help", "info"),
}
# What people put beside STOP in any language: "please STOP", "STOP now, thanks".
COURTESIES = ("please", "now", "thanks", "thank you")
