"""STS and Organizations: who one is, and which accounts there are."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sandbox.aws.errors import Refused
from sandbox.aws.reading import page
from sandbox.aws.scope import Scope
from sandbox.aws.state import text

Params = Mapping[str, Any]
_LONGEST_CHAINED = 3600
_ARN_PARTS = 6


def assume_role(scope: Scope, params: Params) -> dict[str, Any]:
    """Give keys of the role's account to whoever knows its external id."""
    arn = params["RoleArn"]
    parts = arn.split(":", _ARN_PARTS - 1)
    number = parts[4] if len(parts) == _ARN_PARTS else ""
    account = scope.state.accounts.get(number, {})
    is_known = arn == account.get("RoleArn")
    if not is_known or account.get("ExternalId") not in {params.get("ExternalId"), None}:
        message = f"User: {_arn(scope)} is not authorized to perform: sts:AssumeRole on {arn}"
        raise Refused("AccessDenied", message, 403)
    seconds = params.get("DurationSeconds", _LONGEST_CHAINED)
    if scope.session and seconds > _LONGEST_CHAINED:
        message = (
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining"
        )
        raise Refused("ValidationError", message)
    role, name = parts[5].rpartition("/")[2], params["RoleSessionName"]
    return {
        "Credentials": {
            "AccessKeyId": f"ASIA{number}",
            "SecretAccessKey": "temporary",
            "SessionToken": f"{role}/{name}",
            "Expiration": text(scope.state.now + timedelta(seconds=seconds)),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": f"AROA:{name}",
            "Arn": f"arn:aws:sts::{number}:assumed-role/{role}/{name}",
        },
    }


def get_caller_identity(scope: Scope, params: Params) -> dict[str, Any]:
    name = scope.session.rpartition("/")[2]
    user = f"AROA:{name}" if scope.session else "AIDA"
    return {"Account": scope.account, "Arn": _arn(scope), "UserId": user}


def _arn(scope: Scope) -> str:
    if scope.session:
        return f"arn:aws:sts::{scope.account}:assumed-role/{scope.session}"
    return f"arn:aws:iam::{scope.account}:user/portal"


def list_accounts(scope: Scope, params: Params) -> dict[str, Any]:
    """Tell every account of the organization; only its management account may ask."""
    known = scope.state.accounts
    managers = [number for number, account in known.items() if account.get("IsManagement")]
    if managers and scope.account not in managers:
        message = "You don't have permissions to access this resource."
        raise Refused("AccessDeniedException", message)
    manager = managers[0] if managers else scope.account
    accounts = [
        {
            "Id": number,
            "Name": account["Name"],
            "Email": f"{account['Name']}@example.com",
            "Arn": f"arn:aws:organizations::{manager}:account/o-northwind1/{number}",
            "State": account.get("State", "ACTIVE"),
        }
        for number, account in known.items()
    ]
    return page(accounts, {"MaxResults": 20, **params}, "Accounts")


OPERATIONS = {
    "AssumeRole": assume_role,
    "GetCallerIdentity": get_caller_identity,
    "ListAccounts": list_accounts,
}
