"""Reports as AWS writes them, small."""

import csv
import gzip
import json
import re
import zipfile
from io import StringIO
from pathlib import Path

import duckdb

PAYER = "100000000001"
COLUMNS = (
    *("identity/LineItemId", "bill/PayerAccountId", "bill/BillingPeriodStartDate"),
    *("lineItem/UsageAccountId", "lineItem/LineItemType", "lineItem/UsageStartDate"),
    *("lineItem/UsageEndDate", "lineItem/ProductCode", "lineItem/UsageType", "lineItem/Operation"),
    *("lineItem/AvailabilityZone", "lineItem/ResourceId", "lineItem/UsageAmount"),
    *("lineItem/NormalizationFactor", "lineItem/NormalizedUsageAmount", "lineItem/CurrencyCode"),
    *("lineItem/UnblendedCost", "product/instanceType", "product/region"),
    *("reservation/EffectiveCost", "reservation/ReservationARN", "reservation/UnusedQuantity"),
    *("reservation/UnusedNormalizedUnitQuantity", "reservation/UnusedRecurringFee"),
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod",
    "savingsPlan/SavingsPlanEffectiveCost",
)
# What Parquet holds as doubles and as times; the rest are texts.
_DOUBLES = (
    *("UsageAmount", "NormalizationFactor", "NormalizedUsageAmount", "UnblendedCost"),
    *("EffectiveCost", "UnusedQuantity", "UnusedNormalizedUnitQuantity", "UnusedRecurringFee"),
    *("UnusedAmortizedUpfrontFeeForBillingPeriod", "SavingsPlanEffectiveCost"),
)
_TIMES = ("BillingPeriodStartDate", "UsageStartDate", "UsageEndDate")


def usage(**fields):
    """A day of one On-Demand instance; what a test is about it names by the last part."""
    told = {
        "PayerAccountId": PAYER,
        "BillingPeriodStartDate": "2026-11-01T00:00:00Z",
        "UsageAccountId": "903318846125",
        "LineItemType": "Usage",
        "UsageStartDate": "2026-11-03T00:00:00Z",
        "UsageEndDate": "2026-11-04T00:00:00Z",
        "ProductCode": "AmazonEC2",
        "UsageType": "EU-BoxUsage:m5.large",
        "Operation": "RunInstances",
        "AvailabilityZone": "eu-west-1a",
        "ResourceId": "i-00000000000000001",
        "UsageAmount": "24",
        "CurrencyCode": "USD",
        "UnblendedCost": "2.4",
        "region": "eu-west-1",
    }
    return _named(told | fields)


def reserved(purchase="p-1", **fields):
    return usage(
        **{
            "LineItemType": "DiscountedUsage",
            "ReservationARN": arn(purchase),
            "EffectiveCost": "1.2",
            "UnblendedCost": "0",
        }
        | fields
    )


def fee(purchase="p-1", **fields):
    """What a purchase costs in the month, with what of it nobody used."""
    return usage(
        **{
            "LineItemType": "RIFee",
            "ReservationARN": arn(purchase),
            "UsageType": "EU-HeavyUsage:m5.large",
            "ResourceId": "",
            "UsageStartDate": "2026-11-01T00:00:00Z",
            "UsageEndDate": "2026-12-01T00:00:00Z",
            "UsageAmount": "720",
            "UnusedQuantity": "696",
            "UnusedRecurringFee": "34.8",
            "UnusedAmortizedUpfrontFeeForBillingPeriod": "0",
        }
        | fields
    )


def arn(purchase, account="903318846125"):
    return f"arn:aws:ec2:eu-west-1:{account}:reserved-instances/{purchase}"


def write_csv(path, lines, columns=COLUMNS):
    """Write lines as the ending of `path` says: .csv, .csv.gz, .zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    content = text.getvalue().encode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(path.with_suffix(".csv").name, content)
    else:
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_parquet(path, lines, columns=COLUMNS):
    plain = write_csv(path.with_suffix(".csv"), lines, columns)
    chosen = ", ".join(f'{_typed(name)} AS "{snake(name)}"' for name in columns)
    table = duckdb.read_csv(str(plain), all_varchar=True).project(chosen)
    table.write_parquet(str(path))
    plain.unlink()
    return path


def write_manifest(path, keys, name="reportKeys", **told):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: keys, **told}))
    return path


def snake(name):
    """A column as Parquet calls it."""
    return re.sub(r"(?<!^)(?<!_)([A-Z])", r"_\1", name.replace("/", "_")).lower()


def _typed(name):
    last = name.rpartition("/")[2]
    kind = "DOUBLE" if last in _DOUBLES else "TIMESTAMP" if last in _TIMES else "VARCHAR"
    return f'CAST("{name}" AS {kind})'


def _named(fields):
    whole = {name.rpartition("/")[2]: name for name in COLUMNS}
    return {whole[name]: value for name, value in fields.items()}


def months_of(folder: Path):
    """Where a month of the usual layout lies, with the key of its folder in the bucket."""
    return folder / "cur" / "daily" / "20261101-20261201", "cur/daily/20261101-20261201"
