"""`gateway keywords`: for those who write languages, and for those who ask why a text was read as it was."""

import click

from gateway.cli.keywords_explain import explain_text
from gateway.cli.keywords_lint import lint_files
from gateway.cli.keywords_try import try_file

keywords = click.Group(
    "keywords",
    commands=[lint_files, explain_text, try_file],
    help="Check language files, explain readings, try texts.",
)
