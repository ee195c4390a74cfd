#!/bin/sh
# Stands in for PowerShell, as powershell.c does on Windows.
place=$GO_WIN_TOOLS_FILE
while [ -n "$place" ]; do
  if [ -e "$place.open" ]; then
    echo "$place can be changed by all"
    exit 1
  fi
  place=${place%/*}
done
