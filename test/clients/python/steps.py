"""What every Python program here shares: its steps, each printed as a line of JSON."""

import json
import os
import sys
import traceback

HOST = os.environ["PGHOST"]
PORT = int(os.environ["PGPORT"])
DATABASE = os.environ["PGDATABASE"]
USER = os.environ["PGUSER"]
PASSWORD = os.environ["PGPASSWORD"]
ROOT = os.environ["PGSSLROOTCERT"]
TOKEN_USER = os.environ["TOKEN_USER"]
TOKEN = os.environ["TOKEN"]

OWN_ORDER = 2
OTHERS_ORDER = 1


def say(step, work):
    """Takes a step; one that fails is printed too, and the next is taken."""
    try:
        print(json.dumps({"step": step, "saw": work()}), flush=True)
    except Exception as error:
        print(json.dumps({"step": step, "failed": f"{type(error).__name__}: {error}"}), flush=True)
        traceback.print_exc(file=sys.stderr)
