# Refuses a folder for secrets that somebody prepared who is no administrator: everybody may make folders in ProgramData, and whoever
# owns one may always change who reads it. -Contents looks into it, too. Owners as Windows writes them in SDDL: BA and SY are the
# administrators and the system.
param([Parameter(Mandatory)] [string] $Path, [switch] $Contents)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$items = @(Get-Item -Force -LiteralPath $Path)
if ($Contents) { $items += @(Get-ChildItem -Force -Recurse -LiteralPath $Path) }
foreach ($item in $items) {
  if ($item.Attributes -band [IO.FileAttributes]::ReparsePoint) {
    throw "$($item.FullName) is a link. Find out who made it, and remove it."
  }
  $sddl = (Get-Acl -LiteralPath $item.FullName).Sddl
  if ($sddl -cnotmatch '^O:(BA|SY)(G:|D:|S:|$)') {
    throw "$($item.FullName) does not belong to the administrators ($sddl). Find out who made it, and remove it."
  }
}
