#!/bin/sh
# Make a virtual environment, or say what is missing.  usage: new_venv.sh PYTHON FOLDER
set -eu
if ! "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "portraitist needs Python 3.11 or newer as '$1'; say 'make PYTHON=python3.12 ...'" >&2
    exit 1
fi
rm -rf "$2"
if ! "$1" -m venv "$2"; then
    echo "'$1 -m venv' failed; on Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi
