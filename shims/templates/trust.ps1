# Run by the scripts' forms, as one line: whether a program below a root that all users share may be run (launcher/trust.go and
# guard.go decide alike). Says why not. Without double quotes and percent signs, which cmd would read; with nothing that the
# constrained language mode forbids.
$ErrorActionPreference = 'Stop';
trap { 'It cannot be seen who may change ' + $env:GO_WIN_TOOLS_FILE + ': ' + $_; exit 2 }
$me = (& ($env:SystemRoot + '\System32\whoami.exe') /user /fo csv /nh | ConvertFrom-Csv -Header n, s).s;
$trusted = @('BA', 'SY', 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464', $me);
if ($me -match '-500$') { $trusted += 'LA' }
function Deny($what) { $what; exit 1 }
function Look($file, $root, $left) {
  if ($left -eq 0) { Deny ($file + ' leads in circles') }
  $x = $file;
  while ($true) {
    $place = $x; $mask = 0x500D0156; $words = 'FA|FW|GA|GW|DC|LC|RP|DT|CR|SD|WD|WO';
    $isVolume = $x -match '^(.:|\\\\[^\\]+\\[^\\]+)$';
    if ($isVolume) { $place += '\'; $mask = 0x100C0040; $words = 'FA|GA|DT|WD|WO' }
    elseif (-not ($x + '\').ToLowerInvariant().StartsWith(($root + '\').ToLowerInvariant())) { $mask = 0x100D0040; $words = 'FA|GA|DT|SD|WD|WO' }
    $sddl = (Get-Acl -LiteralPath $place).Sddl;
    if (-not ($sddl -match '^O:(S-[0-9-]+|[A-Z][A-Z])') -or $trusted -notcontains $Matches[1]) { Deny ($place + ' belongs to others: ' + $sddl) }
    if (-not ($sddl -match 'D:[A-Z]*(\(.*)?$') -or $sddl -match 'NO_ACCESS_CONTROL') { Deny ($place + ' can be changed by all') }
    foreach ($entry in @($sddl -split '\(' | Select-Object -Skip 1)) {
      $part = $entry -split '[;)]';
      if ($part.Count -lt 6 -or $part[0] -match '^X?D$' -or $part[1] -match '^(..)*IO' -or (@('CO', 'CG', 'OW') + $trusted) -contains $part[5]) { continue }
      $rights = $part[2];
      if ($rights -match '^0x') { $isOut = ([long]$rights -band $mask) -ne 0 } else { $isOut = $rights -match ('^(..)*(' + $words + ')') }
      if ($isOut -or $part[0] -notmatch '^X?A$') { Deny ($place + ' can be changed by ' + $part[5]) }
    }
    if ($isVolume) { return }
    $item = Get-Item -LiteralPath $place -Force;
    if (@('Junction', 'SymbolicLink') -contains $item.LinkType) {
      $to = @($item.Target)[0];
      if ($to -notmatch '^(.:\\|\\\\)') { Deny ($place + ' leads to ' + $to) }
      $real = $to + $file.Substring($x.Length);
      $below = $real -replace '\\[^\\]*$';
      if (($real + '\').ToLowerInvariant().StartsWith(($root + '\').ToLowerInvariant())) { $below = $root }
      Look $real $below ($left - 1)
    }
    $x = $x -replace '\\[^\\]*$'
  }
}
Look $env:GO_WIN_TOOLS_FILE ($env:GO_WIN_TOOLS_ROOT -replace '\\+$') 9
