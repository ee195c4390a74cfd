# Stands for choco: keeps sources in chocolatey.config as choco does, writes down how it was called, and does what FAKE_CHOCO says.
file=$ChocolateyInstall/config/chocolatey.config
leak=${GO_WIN_TOOLS_KEY+ LEAK}
printf 'choco %s%s\n' "$*" "$leak" >>"$FAKE_LOG"

nothing() {
  [ "$FAKE_CHOCO" != enhanced ] || exit 2
  exit 0
}
# The value of an option: `--name=go-win-tools`.
option() {
  for word in "$@"; do
    case $word in "--$wanted="*) printf '%s' "${word#*=}"; return ;; esac
  done
}

if [ "$FAKE_CHOCO" = fails ]; then
  echo 'choco is broken today' >&2
  exit 1
fi
[ -e "$file" ] || printf '%s\n' '<?xml version="1.0" encoding="utf-8"?>' '<chocolatey>' '  <sources>' '  </sources>' '</chocolatey>' >"$file"

case $1 in
  search)
    found=$(printf '%s' "$FAKE_FOUND" | tr -s ',' '\n')
    [ -n "$found" ] || nothing
    printf '%s\n' "$found"
    exit 0
    ;;
esac
[ "$FAKE_CHOCO" != lazy ] || exit 0

case $1 in
  source)
    wanted=name; name=$(option "$@")
    wanted=source; source=$(option "$@")
    own="<source id=\"$name\""
    [ "$2" = add ] || grep -qF "$own" "$file" || nothing
    cat "$file" >"$file.backup"
    verb=$2 own=$own line="    $own value=\"$source\" disabled=\"false\" priority=\"0\" />" awk '
      !done && index($0, ENVIRON["own"]) {
        done = 1
        if (ENVIRON["verb"] == "remove") next
        if (ENVIRON["verb"] == "add") $0 = ENVIRON["line"]
        if (ENVIRON["verb"] == "enable") sub(/disabled="[a-z]+"/, "disabled=\"false\"")
        if (ENVIRON["verb"] == "disable") sub(/disabled="[a-z]+"/, "disabled=\"true\"")
      }
      !done && ENVIRON["verb"] == "add" && $0 == "  </sources>" {
        done = 1
        print ENVIRON["line"]
      }
      { print }
    ' "$file.backup" >"$file"
    ;;
  upgrade)
    [ ! -e "$ChocolateyInstall/lib/$2/tools" ] || nothing
    mkdir -p "$ChocolateyInstall/lib/$2/tools"
    : >"$ChocolateyInstall/lib/$2/tools/dlv.exe"
    ;;
  uninstall) rm -rf "$ChocolateyInstall/lib/$2" ;;
esac
exit 0
