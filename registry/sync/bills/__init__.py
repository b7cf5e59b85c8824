"""A Cost and Usage Report → the bills of its months."""

from registry.sync.bills.place import BillProblem, Folder, Place, Stored
from registry.sync.bills.read import MonthRead, read_months

__all__ = ["BillProblem", "Folder", "MonthRead", "Place", "Stored", "read_months"]
