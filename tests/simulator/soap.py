# SPDX-FileCopyrightText: 2026 The vsphere.content authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two SOAP calls that a general vSphere client makes before it turns to the REST API."""

from __future__ import annotations

import uuid
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web

from .descriptor import local_name
from .errors import ApiError
from .store import Store

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{0}</soapenv:Body></soapenv:Envelope>"
)
SERVICE_CONTENT = (
    '<RetrieveServiceContentResponse xmlns="urn:vim25"><returnval>'
    '<rootFolder type="Folder">group-d1</rootFolder>'
    '<propertyCollector type="PropertyCollector">propertyCollector</propertyCollector>'
    '<viewManager type="ViewManager">ViewManager</viewManager>'
    "<about><name>VMware vCenter Server</name><fullName>VMware vCenter Server {0} (simulated)</fullName>"
    "<vendor>VMware, Inc.</vendor><version>{0}</version><build>0</build><localeVersion>INTL</localeVersion>"
    "<localeBuild>000</localeBuild><osType>linux-x64</osType><productLineId>vpx</productLineId>"
    "<apiType>VirtualCenter</apiType><apiVersion>{0}.0</apiVersion>"
    "<instanceUuid>7a7c2b0e-8b0f-4c55-9d2e-5b6f1f1f2f10</instanceUuid>"
    "<licenseProductName>VMware VirtualCenter Server</licenseProductName>"
    "<licenseProductVersion>{0}</licenseProductVersion></about>"
    '<setting type="OptionManager">VpxSettings</setting>'
    '<sessionManager type="SessionManager">SessionManager</sessionManager>'
    '<searchIndex type="SearchIndex">SearchIndex</searchIndex>'
    "</returnval></RetrieveServiceContentResponse>"
)


def answer_soap(store: Store, raw: bytes) -> web.Response:
    call, fields = _parse(raw)
    if call == "RetrieveServiceContent":
        return _answer(SERVICE_CONTENT.format(store.seed.version))
    if call == "Login":
        return _login(store, fields.get("userName", ""), fields.get("password", ""))
    if call == "Logout":
        return _answer('<LogoutResponse xmlns="urn:vim25"/>')
    return _fault("NotSupported", f"The operation {call} is not supported.")


def _login(store: Store, name: str, password: str) -> web.Response:
    try:
        user = store.logins.check(name, password)
    except ApiError:
        return _fault("InvalidLogin", "Cannot complete login due to an incorrect user name or password.")
    key, now = str(uuid.uuid4()), store.calendar.now_stamp()
    response = _answer(
        '<LoginResponse xmlns="urn:vim25"><returnval>'
        f"<key>{key}</key><userName>{escape(user.name)}</userName><fullName>{escape(user.name)}</fullName>"
        f"<loginTime>{now}</loginTime><lastActiveTime>{now}</lastActiveTime><locale>en</locale>"
        "<messageLocale>en</messageLocale><extensionSession>false</extensionSession><ipAddress>127.0.0.1</ipAddress>"
        "<userAgent>client</userAgent><callCount>0</callCount>"
        "</returnval></LoginResponse>"
    )
    response.set_cookie("vmware_soap_session", key, path="/", secure=True, httponly=True)
    return response


def _parse(raw: bytes) -> tuple[str, dict[str, str]]:
    try:
        root = ElementTree.fromstring(raw)
    except ElementTree.ParseError:
        return "", {}
    body = next((entry for entry in root if entry.tag.endswith("}Body")), None)
    if body is None or len(body) == 0:
        return "", {}
    return local_name(body[0].tag), {local_name(entry.tag): entry.text or "" for entry in body[0]}


def _answer(content: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=ENVELOPE.format(content), content_type="text/xml")


def _fault(kind: str, text: str) -> web.Response:
    detail = f'<{kind}Fault xmlns="urn:vim25" xsi:type="{kind}"/>'
    fault = f"<faultcode>ServerFaultCode</faultcode><faultstring>{escape(text)}</faultstring><detail>{detail}</detail>"
    return _answer(f"<soapenv:Fault>{fault}</soapenv:Fault>", 500)
