"""What each command does: parse nothing, call the plain functions, print. One module per group of verbs."""
