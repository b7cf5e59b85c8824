"""STS and Organizations: who one is, and which accounts there are."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.reading import page
from sandbox.aws.scope import Scope
from sandbox.aws.state import text

Params = Mapping[str, Any]


def assume_role(scope: Scope, params: Params) -> dict[str, Any]:
    """Give keys of the role's account to whoever knows its external id."""
    arn = params["RoleArn"]
    number = arn.split(":")[4] if arn.count(":") >= 5 else ""  # noqa: PLR2004  # parts of an ARN
    account = scope.state.accounts.get(number)
    trusted = account is not None and arn == account["RoleArn"]
    if not trusted or params.get("ExternalId") != account["ExternalId"]:  # type: ignore[index]
        message = (
            f"User: arn:aws:iam::{scope.account}:user/portal is not authorized to perform: "
            f"sts:AssumeRole on resource: {arn}"
        )
        raise Refused("AccessDenied", message, 403)
    seconds = params.get("DurationSeconds", 3600)
    return {
        "Credentials": {
            "AccessKeyId": f"ASIA{number}",
            "SecretAccessKey": "temporary",
            "SessionToken": "temporary",
            "Expiration": text(scope.state.now + timedelta(seconds=seconds)),
        },
        "AssumedRoleUser": {"AssumedRoleId": "AROA:portal", "Arn": arn},
    }


def get_caller_identity(scope: Scope, params: Params) -> dict[str, Any]:
    arn = f"arn:aws:iam::{scope.account}:user/portal"
    return {"Account": scope.account, "Arn": arn, "UserId": "AIDA"}


def list_accounts(scope: Scope, params: Params) -> dict[str, Any]:
    accounts = [
        {
            "Id": number,
            "Name": account["Name"],
            "Email": f"{account['Name']}@example.com",
            "Arn": f"arn:aws:organizations::{scope.account}:account/o-demo/{number}",
            "State": "ACTIVE",
        }
        for number, account in scope.state.accounts.items()
    ]
    return page(accounts, {"MaxResults": 20, **params}, "Accounts")


OPERATIONS = {
    "AssumeRole": assume_role,
    "GetCallerIdentity": get_caller_identity,
    "ListAccounts": list_accounts,
}
