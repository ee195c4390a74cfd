#!/usr/bin/env bash
# Keeps one open issue while the report is red: issue.sh red|green FILE
set -euo pipefail
state=$1 file=$2
label=image-report
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
