"""A Cost and Usage Report → the bills of its months."""

from registry.sync.bills.place import BillProblem, Folder, Interrupted, Place, Stored
from registry.sync.bills.read import MonthRead, read_months

__all__ = ["BillProblem", "Folder", "Interrupted", "MonthRead", "Place", "Stored", "read_months"]
