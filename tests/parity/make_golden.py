"""Asks the installed peers for the golden tables: `python tests/parity/make_golden.py`.

Needs the extra `parity`. Names of peers as arguments make only their tables.
"""

import sys
import warnings
from importlib.metadata import version

import jax
from tables import PEERS, ask, peer, save

if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the peers, about their own use
    jax.config.update("jax_enable_x64", True)  # for the peers that compute with JAX
    for name in sys.argv[1:] or PEERS:
        module = peer(name)
        rows = {setting: ask(module.real, setting) for setting in module.SETTINGS}
        save(name, f"{module.PACKAGE} {version(module.PACKAGE)}", rows)
        print(f"{name}: {len(rows)} settings")
