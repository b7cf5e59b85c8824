"""A Cost and Usage Report → the bills of its months."""

from registry.sync.bills.place import BillProblem, Folder, Interrupted, Place, Stored
from registry.sync.bills.read import MonthRead, read_months
from registry.sync.bills.workshop import clear_left_behind

__all__ = [
    "BillProblem",
    "Folder",
    "Interrupted",
    "MonthRead",
    "Place",
    "Stored",
    "clear_left_behind",
    "read_months",
]
