# Stands for PowerShell that runs fake-scoop.ps1, and does the same in a hundredth of the time.
if [ "$1 $2 $3 $4 $5" != '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File' ]; then
  echo "not as scoop is run: $*" >&2
  exit 1
fi
root=${6%/*}/../../../..
shift 6
leak=${GO_WIN_TOOLS_KEY:+ LEAK}
printf 'scoop %s%s\n' "$*" "$leak" >>"$FAKE_LOG"
[ "$FAKE_SCOOP" != lazy ] || exit 0

case "$1 $2" in
  'bucket add') if [ -e "$root/buckets/$3" ]; then echo 'WARN it exists'; else git clone -q "$4" "$root/buckets/$3"; fi ;;
  'bucket rm') rm -rf "$root/buckets/$3" ;;
  'install go-win-tools/go-win-shims') mkdir -p "$root/apps/go-win-shims/current" ;;
  'uninstall go-win-shims') rm -rf "$root/apps/go-win-shims" ;;
esac
# scoop ends with 0 whatever happened
exit 0
