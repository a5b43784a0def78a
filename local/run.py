"""`make run`: the bundle on this machine. Ctrl-C is no error, not even while modules are loaded."""

import sys

if __name__ == "__main__":
    try:
        from local.start import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)
