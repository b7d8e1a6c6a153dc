"""Moved to `seqclass.checks`; to be deleted with the last import from here."""

from seqclass.checks import check_choice, check_whole

__all__ = ["check_choice", "check_whole"]
