# Stands for scoop: clones buckets with the real git, as Scoop does, writes down how it was called, and ends with 0 whatever happened.
$root = $PSScriptRoot -replace '[\\/]apps[\\/]scoop[\\/]current[\\/]bin$', ''
$leak = ''
if ($env:GO_WIN_TOOLS_KEY) { $leak = ' LEAK' }
[IO.File]::AppendAllText($env:FAKE_LOG, "scoop $($args -join ' ')$leak`n")
if ($env:FAKE_SCOOP -eq 'lazy') { exit 0 }
$dir = "$root/buckets/$($args[2])"
switch ("$($args[0]) $($args[1])") {
  'bucket add' {
    if (Test-Path $dir) { 'WARN it exists'; exit 0 }
    & git clone -q $args[3] $dir
  }
  'bucket rm' { Remove-Item -Recurse -Force $dir }
  'install go-win-tools/go-win-shims' { [void](New-Item -ItemType Directory "$root/apps/go-win-shims/current") }
  'uninstall go-win-shims' { Remove-Item -Recurse -Force "$root/apps/go-win-shims" }
}
exit 0
