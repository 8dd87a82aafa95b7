# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check asks of a vCenter besides the Content Library: its version, a datastore, whether a dialect is there.

Sources: RetrieveServiceContent of the vSphere Web Services API, which needs no login; the description of the REST API
8.0.2, vcenter/datastore.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from .._vcenter.answers import from_response
from .._vcenter.connection import Connection
from .._vcenter.dialect import DIALECTS
from .._vcenter.errors import InvalidResponse
from .._vcenter.models import Datastore
from .._vcenter.schema import SchemaError, decode

ABOUT = "vcenter.about"
DATASTORE = "datastore.get"
SOAP_PATH = "/sdk"
DATASTORE_PATHS = {"api": "/api/vcenter/datastore/{datastore}", "rest": "/rest/vcenter/datastore/{datastore}"}
_RETRIEVE_SERVICE_CONTENT = (
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<RetrieveServiceContent xmlns="urn:vim25"><_this type="ServiceInstance">ServiceInstance</_this>'
    b"</RetrieveServiceContent></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class About:
    """The version and the build of a vCenter, such as 8.0.2 and 22617221; None for what it does not say."""

    version: str | None = None
    build: str | None = None

    def __str__(self) -> str:
        return f"{self.version or 'unknown'}, build {self.build or 'unknown'}"


def read_about(connection: Connection) -> About:
    """Raises what `Http.exchange` raises."""
    answer = connection.http.exchange(
        "POST",
        connection.options.origin + SOAP_PATH,
        ABOUT,
        data=_RETRIEVE_SERVICE_CONTENT,
        headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": "urn:vim25/6.5", "Accept": "text/xml"},
    )
    text = answer.body.decode("utf-8", "replace").partition("<about>")[2].partition("</about>")[0]
    version = re.search(r"<version>(\d{1,4}(?:\.\d{1,4}){1,4})</version>", text)
    build = re.search(r"<build>(\d{1,12})</build>", text)
    return About(version.group(1) if version else None, build.group(1) if build else None)


def knows(connection: Connection, dialect: str) -> bool:
    """Whether a vCenter knows a dialect: it refuses to list libraries without a login, and in the dialect's own words.

    Raises what `Http.exchange` raises.
    """
    path = DIALECTS[dialect].call("library.list", {}).path
    try:
        answer = connection.http.exchange("GET", connection.options.origin + path, "library.list")
    except InvalidResponse:
        return False
    refusal = from_response(answer.status, answer.body, "library.list")
    return refusal.error_type == "UNAUTHENTICATED" and answer.status in (400, 401, 403)


def read_datastore(connection: Connection, datastore_id: str) -> Datastore:
    """Raises what `Connection.send` raises, and InvalidResponse."""
    dialect = DIALECTS[connection.dialect or "api"]
    path = DATASTORE_PATHS[dialect.name].format(datastore=quote(datastore_id, safe=""))
    answer = connection.send("GET", path, operation=DATASTORE, repeatable=True)
    try:
        return decode(Datastore, dialect.result(answer), dialect.maps)
    except SchemaError as error:
        raise InvalidResponse(f"the answer is not as the API describes it: {error}", operation=DATASTORE) from None
