#!/usr/bin/env bash
# Keeps one open issue while the report is red: issue.sh red|green FILE
set -euo pipefail
state=$1 file=$2
label=image-report
# GitHub takes 65,536 characters, and no issue at all for more. Bytes are at least as many.
if (($(wc -c <"$file") > 65000)); then
  LC_ALL=C awk '{ size += length($0) + 1 } size > 64000 { exit } { print }' "$file" >"$file.cut"
  printf '\nThe report is longer than an issue may be. All of it is in the summary of the run.\n' >>"$file.cut"
  file=$file.cut
fi
number=$(gh issue list --label "$label" --state open --limit 1 --json number --jq '.[].number')
case $state in
  red)
    gh label create "$label" --force --description 'What images and tools need' >/dev/null
    if [[ -z $number ]]; then
      gh issue create --title 'Images or tools need attention' --label "$label" --body-file "$file"
    else
      gh issue edit "$number" --body-file "$file"
    fi
    ;;
  green) if [[ -n $number ]]; then gh issue close "$number" --comment 'The report is green again.'; fi ;;
  *)
    echo 'usage: issue.sh red|green FILE' >&2
    exit 2
    ;;
esac
