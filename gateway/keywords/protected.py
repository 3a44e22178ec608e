"""The words that end consent in every configuration."""

# 47 CFR 64.1200(a)(10), as amended by FCC 24-24, in force since 2025-04-11: a reply with one of these words
# "constitutes a reasonable means per se to revoke consent". No lexicon and no program can take one away.
PROTECTED = ("stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe")
PROTECTED_BY = "47 CFR 64.1200(a)(10)"
PROTECTED_LANGUAGE = "en"
