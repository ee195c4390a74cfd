# windows.ps1 SCRIPT JSON: the facts that the script reads, from answers of Windows' own commands in the JSON file.
param([string] $Script, [string] $Json)
$answers = Get-Content -Raw -LiteralPath $Json | ConvertFrom-Json -AsHashtable
function Get-Tpm { [pscustomobject] @{ TpmPresent = $answers.ContainsKey('key') } }
function Get-TpmEndorsementKeyInfo([string] $HashAlgorithm) { [pscustomobject] $answers.key }
function Get-CimInstance([string] $ClassName, [string] $Property) { [pscustomobject] @{ $Property = $answers[$ClassName] } }
function Get-NetAdapter([switch] $Physical) { foreach ($card in $answers.cards) { [pscustomobject] $card } }
function Get-PnpDeviceProperty {
  [CmdletBinding()] param([string] $InstanceId, [string] $KeyName)
  if ($answers.policies.ContainsKey($InstanceId)) { [pscustomobject] @{ Data = $answers.policies[$InstanceId] } }
}
$global:LASTEXITCODE = 0
& $Script -Facts
exit $LASTEXITCODE
