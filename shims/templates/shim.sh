#!/bin/sh
# PATH-priority shim of go-win-tools for Git Bash and MSYS: decides between the Chocolatey and the Scoop install of a tool.
# Made from a policy; make it again instead of changing it. GO_WIN_TOOLS_EXPLAIN=1 tells what it sees.

# Everything is decided in a subshell: a variable of ours that the caller exported under the same name must reach the child
# as it was. Prints the program and, from the next line on, the child's PATH; nothing when there is nothing to run.
decide() {
# SETTINGS
trust='TRUST'

stop() { code=$1; shift; printf '%s\n' "$@" >&2; exit "$code"; }

here=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd -P)

# PATH without our own folder and other folders of shims, which would come back to us, and without what is relative: a
# working folder has no say
other_path() {
  rest=$PATH: kept=
  while [ -n "$rest" ]; do
    folder=${rest%%:*} rest=${rest#*:}
    case $folder in /*) [ "$folder" -ef "$here" ] || [ -f "$folder/$command.shim.json" ] || kept=$kept:$folder ;; esac
  done
  printf '%s' "${kept#:}"
}

[ "$GO_WIN_TOOLS_DEPTH" -le 64 ] || stop 126 "$tool: shims have called each other 64 times; something leads in circles."

# WSL sees Windows folders in its PATH: there the native tool is meant, or none.
if [ -n "${WSL_INTEROP-}${WSL_DISTRO_NAME-}" ]; then
  PATH=$(other_path)
  found=$(command -v -- "$command") || stop 127 "$tool: this shim is for Windows, and no $command is installed in WSL."
  [ "${GO_WIN_TOOLS_EXPLAIN-}" != 1 ] || { printf '> wsl  %s  it is the native one\n' "$found" >&2; exit 0; }
  printf '%s\n%s' "$found" "$PATH"; exit
fi

if [ "${GO_WIN_TOOLS_BYPASS-}" = 1 ] && [ "${GO_WIN_TOOLS_EXPLAIN-}" != 1 ]; then
  found=$(PATH=$(other_path) && { command -v -- "$command" || command -v -- "$exe"; }) ||
    stop 127 "$tool: GO_WIN_TOOLS_BYPASS is set, and PATH has no other $command."
  printf '%s\n%s' "$found" "$PATH"; exit
fi

# C:\Users\me -> /c/Users/me, as PATH has it
unix() {
  case $1 in
    [A-Za-z]:* | *\\*) cygpath -u -- "$1" 2>/dev/null || printf '%s' "$1" ;;
    *) printf '%s' "$1" ;;
  esac
}

# the text behind a JSON key, from files with a key a line, as Scoop writes them
json() {
  found=
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      *\""$2"\"*:*\"*\"*)
        line=${line#*\""$2"\"*:} line=${line#*\"} found=${line%%\"*}
        break ;;
    esac
  done < "$1"
  # a Windows path has its backslashes doubled, and Windows PowerShell's JSON has these two as numbers
  case $found in
    *\\*) found=$(printf '%s' "$found" | sed -e 's/\\u0026/\&/g' -e "s/\\\\u0027/'/g" -e 's/\\\\/\\/g') ;;
  esac
  printf '%s' "$found"
}

# What a file of an install says is a version only when it is written as one (launcher/version.go).
believe() {
  case $1 in '' | [!0-9A-Za-z]* | *[!0-9A-Za-z.+-]*) return ;; esac
  [ "${#1}" -gt 128 ] || printf '%s' "$1"
}

count=0
add() {
  count=$((count + 1))
  eval "from_$count=\$1 manager_$count=\$2 exe_$count=\$3 version_$count=\$4 home_$count=\$5 shared_$count=\$6 note_$count="
}

known() {
  file=$1
  case $file in
    # not by ${NAME}: ProgramFiles(x86) is no name to a shell, and Windows writes names in any case
    %*%*) name=${file#%} name=${name%%%*} value=$(env | grep -i "^$name=" | head -n 1) file=${value#*=}${file#%*%} ;;
  esac
  add path path "$(unix "$file")" "$2" '' ''
}

# A root that is relative would be found in the working folder.
scoop() {
  case $2 in /*) ;; *) return ;; esac
  at=$2/apps/$app/current version=
  if [ ! -f "$at/$exe" ]; then
    # with Scoop's no_junction there is no current: what it runs is the version whose install.json was written last
    last=
    for folder in "$2/apps/$app"/*/; do
      name=${folder#"$2/apps/$app"/}
      # _1.2.0.old is what Scoop puts aside: no version either
      if [ "$name" = current/ ] || [ -z "$(believe "${name%/}")" ]; then continue; fi
      file=${folder}scoop-install.json
      [ -f "$file" ] || file=${folder}install.json
      if [ -f "$file" ] && [ -f "$folder$exe" ] && { [ -z "$last" ] || [ "$file" -nt "$last" ]; }; then last=$file; fi
    done
    [ -z "$last" ] || at=${last%/*}
  fi
  for file in scoop-manifest.json manifest.json; do
    if [ -z "$version" ] && [ -f "$at/$file" ]; then version=$(json "$at/$file" version); fi
  done
  add "$1" scoop "$at/$exe" "$(believe "$version")" "$2/apps/$app" "$2/shims"
}

choco() {
  case $1 in /*) ;; *) return ;; esac
  version='' nuspec=$1/lib/$package/$package.nuspec
  if [ -f "$nuspec" ]; then
    while IFS= read -r line || [ -n "$line" ]; do
      case $line in *'<version>'*'</version>'*) version=${line#*<version>} version=${version%%</version>*}; break ;; esac
    done < "$nuspec"
  fi
  add choco choco "$1/lib/$package/tools/$exe" "$(believe "$version")" "$1/lib/$package" "$1/bin"
}

# 1 when $1 comes after $2, 2 when before, 0 when they are the same; $3 stands in for what is not there
words() {
  x=$1 y=$2
  while [ -n "$x$y" ]; do
    a=${x%%.*} b=${y%%.*}
    x=${x#"$a"} x=${x#.} y=${y#"$b"} y=${y#.}
    a=${a:-$3} b=${b:-$3}
    [ "$a" != "$b" ] || continue
    [ -n "$a" ] || return 2
    [ -n "$b" ] || return 1
    case $a in *[!0-9]*) a_word=1 ;; *) a_word= ;; esac
    case $b in *[!0-9]*) b_word=1 ;; *) b_word= ;; esac
    case $a_word/$b_word in
      /) if [ "$a" -gt "$b" ]; then return 1; elif [ "$a" -lt "$b" ]; then return 2; fi ;;
      1/) return 1 ;;
      /1) return 2 ;;
      *) if LC_ALL=C expr "x$a" \> "x$b" >/dev/null; then return 1; else return 2; fi ;;
    esac
  done
  return 0
}

lower() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]'; }

newer() {
  [ -n "$1" ] || return 1
  [ -n "$2" ] || return 0
  v=${1%%+*} w=${2%%+*}
  case $v$w in *[A-Z]*) v=$(lower "$v") w=$(lower "$w") ;; esac
  words "${v%%-*}" "${w%%-*}" 0
  case $? in 1) return 0 ;; 2) return 1 ;; esac
  case $v in *-*) v=${v#*-} ;; *) v= ;; esac
  case $w in *-*) w=${w#*-} ;; *) w= ;; esac
  [ -n "$w" ] || return 1
  [ -n "$v" ] || return 0
  words "$v" "$w" ''
  [ $? = 1 ]
}

same() { ! newer "$1" "$2" && ! newer "$2" "$1"; }

profile=$(unix "${USERPROFILE-${HOME-}}")
data=$(unix "${ProgramData-${PROGRAMDATA-}}")
settings=$(unix "${XDG_CONFIG_HOME:-$profile/.config}")/scoop/config.json
user=${SCOOP-} global=${SCOOP_GLOBAL-}
if [ -f "$settings" ]; then
  [ -n "$user" ] || user=$(json "$settings" root_path)
  [ -n "$global" ] || global=$(json "$settings" global_path)
fi
user=$(unix "${user:-$profile/scoop}") global=$(unix "${global:-$data/scoop}")
choco=$(unix "${ChocolateyInstall:-$data/chocolatey}")
user=${user%/} global=${global%/}

scoop scoop "$user"
[ "$user" = "$global" ] || scoop scoop-global "$global"
choco "${choco%/}"
# KNOWN

# why an install may not run; nothing when it may
objection() {
  eval "file=\$exe_$1 manager=\$manager_$1 version=\$version_$1"
  case $file in /*) [ -f "$file" ] ;; *) false ;; esac || { printf 'not there'; return; }
  for word in $deny; do
    if [ "$word" = "$manager" ] || { [ -n "$version" ] && same "$word" "$version"; }; then
      printf 'denied: %s' "$word"
      return
    fi
  done
  # Scoop's shims, and ours elsewhere, have their target beside them
  folder=${file%/*} other=0 shared=$here
  if [ -f "${file%.*}.shim" ] || [ -f "${file%.*}.shim.json" ]; then other=$count shared=$folder; fi
  while [ -z "$shared" ] || ! [ "$folder" -ef "$shared" ]; do
    [ "$other" -lt "$count" ] || return
    other=$((other + 1))
    eval "shared=\$shared_$other"
  done
  printf 'a shim, not the program itself'
}

at=0
while [ "$at" -lt "$count" ]; do
  at=$((at + 1))
  note=$(objection "$at")
  eval "note_$at=\$note"
done

pick() {
  taken='' why='it is not installed' code=127 in=''
  at=0
  while [ "$at" -lt "$count" ]; do
    at=$((at + 1))
    eval "note=\$note_$at"
    case $note in
      '') in="$in $at" ;;
      'not there') ;;
      *) code=126 why='nothing of what is there may run' ;;
    esac
  done
  if [ "$prefer" = pinned ]; then
    for at in $in; do
      eval "version=\$version_$at"
      if [ -z "$taken" ] && same "$version" "$pin"; then taken=$at why="it is the pinned version $pin"; fi
    done
    if [ -z "$taken" ] && [ -n "$in" ]; then code=126 why="none is the pinned version $pin"; fi
  elif [ "$prefer" = newest ]; then
    best=
    for at in $in; do
      eval "version=\$version_$at"
      if [ -z "$taken" ] || newer "$version" "$best"; then taken=$at best=$version why='it is the newest'; fi
    done
  else
    for at in $in; do
      eval "manager=\$manager_$at"
      if [ -z "$taken" ]; then taken=$at why="nothing of $prefer is there, and it is the next"; fi
      if [ "$manager" = "$prefer" ]; then taken=$at why="$prefer is preferred"; break; fi
    done
  fi
}

# What all users share may have been put there by any of them. Who may change it a shell cannot see (Git Bash makes modes up);
# PowerShell can, and says why not. Elsewhere there is no such folder.
is_trusted() {
  case $(uname -s) in Linux | Darwin | *BSD) return ;; esac
  windows=$(unix "${SYSTEMROOT-${SystemRoot-}}")
  case $windows in /?*) ;; *) return 1 ;; esac
  (
    unset PSModulePath PSMODULEPATH
    GO_WIN_TOOLS_FILE=$(cygpath -w -- "$1") GO_WIN_TOOLS_ROOT=$(cygpath -w -- "$2") MSYS_NO_PATHCONV=1 MSYS2_ARG_CONV_EXCL='*'
    export GO_WIN_TOOLS_FILE GO_WIN_TOOLS_ROOT MSYS_NO_PATHCONV MSYS2_ARG_CONV_EXCL
    exec "$windows/System32/WindowsPowerShell/v1.0/powershell.exe" -NoLogo -NoProfile -NonInteractive -Command "$trust" </dev/null 2>&1
  )
}

distrusted=
while
  pick
  [ -n "$taken" ]
do
  eval "from=\$from_$taken file=\$exe_$taken root=\${home_$taken%/*/*}"
  case $from in scoop-global | choco) ;; *) [ "$root" -ef "$global" ] || break ;; esac
  if reason=$(is_trusted "$file" "$root"); then break; fi
  reason=$(printf '%s' "$reason" | tr -d '\r')
  eval "note_$taken=\"not trusted: \$reason\""
  distrusted="$distrusted
Any user of this machine may have put programs into $root. An administrator deletes it when nobody knows what is in it,
or else gives it to administrators alone, at a command prompt:
  icacls \"$root\" /setowner *S-1-5-32-544 /T /Q
  icacls \"$root\" /inheritance:r /grant:r *S-1-5-32-544:(OI)(CI)F *S-1-5-18:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX
  icacls \"$root\\*\" /reset /T /Q"
done

list() {
  at=0
  while [ "$at" -lt "$count" ]; do
    at=$((at + 1))
    eval "from=\$from_$at version=\$version_$at file=\$exe_$at note=\$note_$at"
    mark=' '
    if [ "$at" = "$taken" ]; then mark='>' note=$why; fi
    printf '%s %-12s  %-14s  %s  %s\n' "$mark" "$from" "${version:--}" "$file" "$note"
  done
}

if [ "${GO_WIN_TOOLS_EXPLAIN-}" = 1 ]; then
  {
    printf '%s: prefer %s, sandbox %s\n' "$tool" "$prefer${pin:+ $pin}" "$sandbox"
    list
    [ -n "$taken" ] || printf 'Nothing is run: %s.\n' "$why"
  } >&2
  [ -n "$taken" ] || exit "$code"
  exit 0
fi
[ -n "$taken" ] || stop "$code" "$tool: $why. Looked at:" "$(list)" \
  "Install it: choco install $package, or: scoop install go-win-tools/$app$distrusted"

# PATH without the folders of those that lost, in any case, with or without a slash at the end
gone=
eval "shared_taken=\$shared_$taken target=\$exe_$taken"
at=0
while [ "$at" -lt "$count" ]; do
  at=$((at + 1))
  eval "home=\$home_$at shared=\$shared_$at file=\$exe_$at"
  if [ "$at" = "$taken" ] || [ -z "$home" ] || [ ! -f "$file" ]; then continue; fi
  gone=$gone$(lower "$home"):
  if [ "$sandbox" = strict ] && [ "$shared" != "$shared_taken" ]; then gone=$gone$(lower "$shared"):; fi
done
if [ -n "$gone" ]; then
  rest=$PATH: low=$(lower "$PATH"): kept=
  while [ -n "$rest" ]; do
    folder=${rest%%:*} rest=${rest#*:} small=${low%%:*} low=${low#*:} out=
    left=$gone
    while [ -n "$left" ]; do
      parent=${left%%:*} left=${left#*:}
      case ${small%/}/ in "${parent%/}"/*) out=1 ;; esac
    done
    [ -n "$out" ] || kept=$kept:$folder
  done
  PATH=${kept#:}
fi
printf '%s\n%s' "$target" "$PATH"
}

case ${GO_WIN_TOOLS_DEPTH-} in '' | *[!0-9]* | ?????*) GO_WIN_TOOLS_DEPTH=0 ;; esac
GO_WIN_TOOLS_DEPTH=$((GO_WIN_TOOLS_DEPTH + 1))
GO_WIN_TOOLS_CHOICE=$(decide "$0") || exit
[ -n "$GO_WIN_TOOLS_CHOICE" ] || exit 0
PATH=${GO_WIN_TOOLS_CHOICE#*
}
export PATH GO_WIN_TOOLS_DEPTH
exec "${GO_WIN_TOOLS_CHOICE%%
*}" "$@"
