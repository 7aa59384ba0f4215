"""The names of the fields of calls, in the spelling that is read and in others."""
