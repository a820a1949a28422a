"""aiosmtpd as a server: python3 aiosmtpd-server.py '{"port": 2525, "maildir": "...", "users": {"ann": "secret"}}'

Prints "ready" once it listens. Each message goes into a maildir. All of SMTP is the library's.
"""

import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult

# It warns of logins without TLS, which is what some tests are about.
warnings.simplefilter("ignore")
logging.getLogger("mail.log").setLevel(logging.ERROR)

options = json.loads(sys.argv[1])
users = options.get("users", {})


def authenticate(server, session, envelope, mechanism, login):
    expected = users.get(login.login.decode())
    return AuthResult(success=expected is not None and login.password.decode() == expected, handled=False)


def tls_context():
    if "certificate" not in options:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["certificate"])
    return context


async def serve():
    loop = asyncio.get_running_loop()
    handler = Mailbox(options["maildir"])
    context = tls_context()

    def connection():
        return SMTP(
            handler,
            loop=loop,
            hostname="aiosmtpd.example",
            data_size_limit=options.get("maxMessageBytes", 10_240_000),
            enable_SMTPUTF8=True,
            tls_context=context,
            require_starttls=context is not None,
            auth_required=len(users) > 0,
            auth_require_tls=False,
            authenticator=authenticate,
        )

    server = await loop.create_server(connection, "127.0.0.1", options["port"])
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(serve())
