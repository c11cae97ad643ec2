"""The demo: a workspace of real companies and invented people, and the whole loop on the sandbox."""
