# all.ps1 SCRIPT DIR: the fingerprint of each file with facts, a line each.
param([string] $Script, [string] $Dir)
. $Script
foreach ($file in [IO.Directory]::GetFiles($Dir, '*.tsv') | Sort-Object) {
  try { Get-Fingerprint ([IO.File]::ReadAllLines($file)) } catch { 'refused' }
}
