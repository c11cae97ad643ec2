"""JSON into the Data Manager's messages: names, one-ofs, enums by name or number. No rules, no state.

Official clients send enums as numbers and ask for them with ``$alt``; both spellings are read.
Source: discovery document datamanager.v1 revision 20261106.
"""

from __future__ import annotations

import re
from typing import Any

from platforms.sandbox import google_errors as err
from platforms.sandbox.wire import Call, load_json

Spec = dict[str, Any]

ENCODING = ("ENCODING_UNSPECIFIED", "HEX", "BASE64")
CONSENT = ("CONSENT_STATUS_UNSPECIFIED", "CONSENT_GRANTED", "CONSENT_DENIED")
TERMS = ("TERMS_OF_SERVICE_STATUS_UNSPECIFIED", "ACCEPTED", "REJECTED")
ACCOUNT_TYPE = (
    "ACCOUNT_TYPE_UNSPECIFIED",
    "GOOGLE_ADS",
    "DISPLAY_VIDEO_PARTNER",
    "DISPLAY_VIDEO_ADVERTISER",
    "DATA_PARTNER",
    "GOOGLE_ANALYTICS_PROPERTY",
    "GOOGLE_AD_MANAGER_AUDIENCE_LINK",
    "FLOODLIGHT_CONFIG",
    "GOOGLE_AD_MANAGER",
)
MEMBERSHIP_STATUS = ("MEMBERSHIP_STATUS_UNSPECIFIED", "OPEN", "CLOSED")
KEY_TYPE = ("UPLOAD_KEY_TYPE_UNSPECIFIED", "CONTACT_ID", "MOBILE_ID", "USER_ID", "PAIR_ID", "PSEUDONYMOUS_ID")
SOURCE = (
    "DATA_SOURCE_TYPE_UNSPECIFIED",
    "DATA_SOURCE_TYPE_FIRST_PARTY",
    "DATA_SOURCE_TYPE_THIRD_PARTY_CREDIT_BUREAU",
    "DATA_SOURCE_TYPE_THIRD_PARTY_VOTER_FILE",
    "DATA_SOURCE_TYPE_THIRD_PARTY_PARTNER_DATA",
)

ACCOUNT: Spec = {"accountType": ACCOUNT_TYPE, "accountId": str, "product": tuple}
DESTINATION: Spec = {
    "reference": str,
    "loginAccount": ACCOUNT,
    "linkedAccount": ACCOUNT,
    "operatingAccount": ACCOUNT,
    "productDestinationId": str,
}
CONSENT_SPEC: Spec = {"adUserData": CONSENT, "adPersonalization": CONSENT}
ADDRESS: Spec = dict.fromkeys(
    ("givenName", "familyName", "regionCode", "postalCode", "addressLine", "city", "administrativeArea"), str
)
IDENTIFIER: Spec = {"emailAddress": str, "phoneNumber": str, "address": ADDRESS}
USER_DATA: Spec = {"userIdentifiers": [IDENTIFIER]}
IP_DATA: Spec = {"ipAddress": str, "observeStartTime": str, "observeEndTime": str}
MEMBER: Spec = {
    "userData": USER_DATA,
    "compositeData": {"userData": USER_DATA, "ipData": [IP_DATA]},
    "mobileData": {"mobileIds": [str]},
    "userIdData": {"userId": str},
    "pairData": {"pairIds": [str]},
    "ppidData": {"ppids": [str]},
    "googleUserIdData": dict,
    "partnerProvidedIdData": dict,
    "consent": CONSENT_SPEC,
    "destinationReferences": [str],
}
REMOVE: Spec = {
    "destinations": [DESTINATION],
    "audienceMembers": [MEMBER],
    "encoding": ENCODING,
    "encryptionInfo": dict,
    "validateOnly": bool,
}
INGEST: Spec = {
    **REMOVE,
    "consent": CONSENT_SPEC,
    "termsOfService": {"customerMatchTermsOfServiceStatus": TERMS},
}
REMOVE_ALL: Spec = {"destinations": [DESTINATION], "removeAsOfTime": str, "validateOnly": bool}
USER_LIST: Spec = {
    "name": str,
    "id": str,
    "displayName": str,
    "description": str,
    "membershipDuration": str,
    "membershipStatus": MEMBERSHIP_STATUS,
    "integrationCode": str,
    "readOnly": bool,
    "accessReason": tuple,
    "accountAccessStatus": tuple,
    "closingReason": tuple,
    "sizeInfo": dict,
    "targetNetworkInfo": {"eligibleForDisplay": bool, "eligibleForSearch": bool},
    "ingestedUserListInfo": {
        "uploadKeyTypes": [KEY_TYPE],
        "contactIdInfo": {"dataSourceType": SOURCE, "matchRatePercentage": int},
        "mobileIdInfo": {"dataSourceType": SOURCE, "keySpace": tuple, "appId": str},
        "userIdInfo": {"dataSourceType": SOURCE},
    },
}


def camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda m: m.group(1).upper(), name)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def read_body(spec: Spec, call: Call, where: str = "") -> dict[str, Any]:
    """A request's JSON, read by ``read``; no body is an empty message."""
    try:
        value = load_json(call.body or b"{}")
    except ValueError:
        raise err.unreadable("", "", "Unable to parse the body.") from None
    return read(spec, value, where)


def read(spec: Spec, value: Any, where: str = "") -> dict[str, Any]:
    """``value`` with camelCase names and enum names. Raises the transcoding 400 of the first problem."""
    if not isinstance(value, dict):
        raise err.unreadable("", where, f"Value at '{where}' is not an object.")
    found: dict[str, Any] = {}
    for name, inner in value.items():
        key = name if name in spec else camel(name)
        if key not in spec:
            raise err.unreadable(name, where)
        if inner is not None:
            found[key] = _read(spec[key], inner, f"{where}.{snake(key)}" if where else snake(key))
    return found


def _read(kind: Any, value: Any, where: str) -> Any:
    if kind is str:
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    elif isinstance(kind, dict):
        return read(kind, value, where)
    elif isinstance(kind, list):
        if isinstance(value, list):
            return [_read(kind[0], v, f"{where}[{i}]") for i, v in enumerate(value)]
    elif isinstance(kind, tuple):
        return _enum(kind, value, where)
    elif kind is tuple or isinstance(value, kind):
        return value
    raise err.unreadable("", where, f"Invalid value at '{where}'.")


def _enum(names: tuple[str, ...], value: Any, where: str) -> str:
    if isinstance(value, str) and value in names:
        return value
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    raise err.unreadable("", where, f"Invalid value at '{where}': \"{value}\".")
