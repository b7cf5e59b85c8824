"""What DuckDB is asked. In `ADD`, COLUMNS and CALL stand for what `opening.Source` says of a file.

Not confirmed by AWS: that the usage types named here are all of instance hours. BoxUsage and
SpotUsage are common; DedicatedUsage is dedicated tenancy, HostBoxUsage an instance on a Dedicated
Host. The operation of a Spot hour ends in a number of its own: EC2 User Guide, "AMI billing
information fields".
"""

CREATE = """
    CREATE TABLE summed (
        kind VARCHAR, account VARCHAR, region VARCHAR, resource VARCHAR, type VARCHAR,
        operation VARCHAR, arn VARCHAR, factor DECIMAL(38,12), currency VARCHAR, payer VARCHAR,
        period DATE, lines BIGINT, amounts BIGINT, amount DECIMAL(38,12),
        normalized DECIMAL(38,12), bare DECIMAL(38,12), cost DECIMAL(38,12),
        cost_lines BIGINT, unused DECIMAL(38,12), unused_normalized DECIMAL(38,12),
        unused_cost DECIMAL(38,12), first_at TIMESTAMP, last_at TIMESTAMP
    )"""
# A sum with a part that is not known is not known.
WHOLE_SUM = """
    CREATE MACRO whole(amounts) AS CASE WHEN count(amounts) = count(*) THEN sum(amounts) END"""
ADD = """
    INSERT INTO summed
    WITH kept AS (
        SELECT * FROM (SELECT COLUMNS FROM CALL)
        WHERE product = 'AmazonEC2' AND operation LIKE 'RunInstances%' AND (
            line_type = 'RIFee'
            OR line_type IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage')
                AND regexp_matches(
                    usage_type, '(^|-)(BoxUsage|SpotUsage|DedicatedUsage|HostBoxUsage)(:|$)'
                )
        )
    ), named AS (
        SELECT *,
            CASE
                WHEN line_type = 'RIFee' THEN 'fee'
                WHEN line_type = 'DiscountedUsage' THEN 'reserved'
                WHEN line_type = 'SavingsPlanCoveredUsage' THEN 'savings_plan'
                WHEN regexp_matches(operation, ':SV[0-9]+$')
                    OR regexp_matches(usage_type, '(^|-)SpotUsage(:|$)') THEN 'spot'
                ELSE 'on_demand'
            END AS kind,
            CASE line_type
                WHEN 'DiscountedUsage' THEN reserved_cost
                WHEN 'SavingsPlanCoveredUsage' THEN plan_cost
                ELSE cost
            END AS paid,
            coalesce(
                nullif(region_code, ''), nullif(region, ''),
                regexp_extract(zone, '^([a-z]+(-[a-z]+)+-[0-9])[a-z]$', 1), ''
            ) AS place,
            coalesce(regexp_extract(resource, '(^|/)(i-[0-9a-f]{8,17})$', 2), '') AS instance,
            coalesce(
                nullif(regexp_extract(usage_type, ':([^:]+)$', 1), ''), type, ''
            ) AS instance_type
        FROM kept
    )
    SELECT kind, coalesce(account, ''), place, instance, instance_type, operation,
        coalesce(arn, ''), factor, coalesce(currency, ''), coalesce(payer, ''),
        CAST(date_trunc('month', period) AS DATE), count(*), count(amount), sum(amount),
        sum(normalized), sum(amount) FILTER (normalized IS NULL), sum(paid), count(paid),
        whole(unused), whole(unused_normalized), whole(unused_recurring + unused_upfront),
        min(started), max(ended)
    FROM named
    GROUP BY ALL"""
# Not even a time of Python has room for all that DuckDB takes for one.
STRANGE_TIMES = """
    SELECT count(*) FROM summed
    WHERE least(period, first_at, last_at) < DATE '2000-01-01'
        OR greatest(period, first_at, last_at) >= DATE '3000-01-01'"""
USAGE = """
    SELECT kind, account, region, resource, type, operation, arn, sum(amount),
        CASE WHEN sum(cost_lines) = sum(lines) AND count(DISTINCT currency) = 1 THEN sum(cost) END,
        min(first_at), max(last_at)
    FROM summed WHERE kind <> 'fee'
    GROUP BY ALL"""
PURCHASES = """
    SELECT kind, arn, type, factor, currency, sum(amount), sum(normalized), sum(bare),
        whole(unused), whole(unused_normalized), whole(unused_cost)
    FROM summed WHERE kind IN ('fee', 'reserved') AND arn <> ''
    GROUP BY ALL"""
WHOLE = """
    SELECT coalesce(sum(lines), 0), max(last_at) FILTER (kind <> 'fee'),
        coalesce(bool_or(resource <> ''), false)
    FROM summed"""
WITHOUT_AMOUNT = "SELECT coalesce(sum(lines - amounts), 0) FROM summed WHERE kind <> 'fee'"
MONTHS = "SELECT DISTINCT period FROM summed WHERE period IS NOT NULL ORDER BY period"
PAYERS = "SELECT DISTINCT payer FROM summed WHERE payer <> '' ORDER BY payer"
