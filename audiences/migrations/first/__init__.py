"""The tables of revision 0001, by theme. Frozen: a change of a table is a new revision."""
