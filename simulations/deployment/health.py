"""The one question that a server answers to anybody with the deployment's certificate: whether it is well.

Owns how it is asked, over TLS and of whom the authority vouches for alone. Must not know what a refusal is a sign of.
"""

import http.client
import ssl
from http import HTTPStatus
from pathlib import Path

from simulations.deployment.settings import split_address

SECONDS = 10.0


def server_time(host: str, port: int, authority: Path) -> str:
    """The server's clock, from the header of its answer."""
    trust = ssl.create_default_context(cafile=str(authority))
    connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=trust)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise http.client.HTTPException(f"the health check answered with {answer.status}")
        return answer.headers.get("Date", "")
    finally:
        connection.close()


def is_healthy(address: str, authority: Path) -> bool:
    """Whether somebody with a certificate of this authority answers there and is well."""
    try:
        server_time(*split_address(address), authority)
    except (OSError, http.client.HTTPException):
        return False
    return True
