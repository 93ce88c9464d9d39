"""Connects with libpq 18 and a token of its hook, and prints what happened as JSON.

Usage: libpq_oauth.py LIBPQ CONNINFO [TOKEN]: without a token the hook leaves the work to libpq's own flow.
"""

import ctypes
import json
import sys


class BearerRequest(ctypes.Structure):
    """PGoauthBearerRequest of libpq-fe.h."""

    _fields_ = [
        ("openid_configuration", ctypes.c_char_p),
        ("scope", ctypes.c_char_p),
        ("asynchronous", ctypes.c_void_p),
        ("cleanup", ctypes.c_void_p),
        ("token", ctypes.c_char_p),
        ("user", ctypes.c_void_p),
    ]


library, conninfo, *token = sys.argv[1:]
libpq = ctypes.CDLL(library)
pointer = ctypes.c_void_p
libpq.PQconnectdb.restype = libpq.PQexec.restype = pointer
libpq.PQconnectdb.argtypes = [ctypes.c_char_p]
libpq.PQerrorMessage.argtypes = libpq.PQstatus.argtypes = libpq.PQfinish.argtypes = [pointer]
libpq.PQexec.argtypes = [pointer, ctypes.c_char_p]
libpq.PQgetvalue.argtypes = [pointer, ctypes.c_int, ctypes.c_int]
libpq.PQerrorMessage.restype = libpq.PQgetvalue.restype = ctypes.c_char_p

bearer_token = 1  # PQAUTHDATA_OAUTH_BEARER_TOKEN
told = []


@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, pointer, pointer)
def hook(kind, _connection, data):
    if kind != bearer_token:
        return 0
    request = ctypes.cast(data, ctypes.POINTER(BearerRequest)).contents
    told.append([text and text.decode() for text in (request.openid_configuration, request.scope)])
    if not token:
        return 0
    request.token = token[0].encode()
    return 1


libpq.PQsetAuthDataHook(hook)
connection = libpq.PQconnectdb(conninfo.encode())
result = {"version": libpq.PQlibVersion(), "told": told}
if libpq.PQstatus(connection) == 0:
    row = libpq.PQexec(connection, b"show rolegate.identity")
    result["identity"] = libpq.PQgetvalue(row, 0, 0).decode()
else:
    result["error"] = libpq.PQerrorMessage(connection).decode()
libpq.PQfinish(connection)
print(json.dumps(result))
