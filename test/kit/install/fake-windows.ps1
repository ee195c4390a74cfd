# In place of the part `windows`: a registry in a file, rights as the environment says, passwords that are only turned round.
function Test-Windows { return $true }
function Test-Admin { return $env:FAKE_ADMIN -eq 'yes' }
function Get-Me { return 'S-1-5-21-1-2-3-1001' }
function Test-FixedDrive { return $true }
function Test-ServiceSession { return $env:FAKE_SESSION -eq '0' }
function Test-Writable([string] $File) { return (Test-Admin) -and (Test-Path -LiteralPath $File) }
function Send-EnvironmentChange { [IO.File]::AppendAllText($env:FAKE_LOG, "environment changed`n") }
function Get-Acl([string] $LiteralPath) {
  $name = Split-Path -Leaf $LiteralPath
  $sids = @('S-1-5-32-544') + @("$env:FAKE_OPEN" -split ',' | Where-Object { $_ -and $name -like $_ } | ForEach-Object { 'S-1-5-32-545' })
  $rules = @($sids | ForEach-Object {
    $sid = [PSCustomObject]@{ Value = $_ } | Add-Member -PassThru ScriptMethod Translate { throw 'nobody has that name' }
    [PSCustomObject]@{ PropagationFlags = 0; AccessControlType = 'Allow'; FileSystemRights = 0x1f01ff; IdentityReference = $sid }
  })
  $acl = [PSCustomObject]@{ Rules = $rules }
  Add-Member -InputObject $acl ScriptMethod GetOwner { return $this.Rules[0].IdentityReference }
  Add-Member -InputObject $acl ScriptMethod GetAccessRules { return $this.Rules }
  return $acl
}

function Read-Hives {
  if (-not (Test-Path -LiteralPath $env:FAKE_REGISTRY)) { return New-Object PSObject }
  return ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($env:FAKE_REGISTRY))
}
function Get-RegistryName([bool] $IsMachine, [string] $Path) {
  if ($IsMachine) { return "HKLM\$Path" }
  return "HKCU\$Path"
}
function Read-Registry([bool] $IsMachine, [string] $Path, [string] $Value) { return [string](Read-Hives).(Get-RegistryName $IsMachine $Path).$Value }
function Save-Hives($Hives) { [IO.File]::WriteAllText($env:FAKE_REGISTRY, (ConvertTo-Json -InputObject $Hives)) }
function Write-Registry([bool] $IsMachine, [string] $Path, [string] $Value, [string] $Text, [string] $Kind) {
  if ($env:FAKE_REGISTRY_LAZY) { return }
  $hives = Read-Hives
  $key = Get-RegistryName $IsMachine $Path
  if ($null -eq $hives.$key) { Add-Member -InputObject $hives $key (New-Object PSObject) }
  Add-Member -InputObject $hives.$key -Force $Value $Text
  Save-Hives $hives
}
function Remove-RegistryKey([bool] $IsMachine, [string] $Path) {
  $hives = Read-Hives
  $hives.PSObject.Properties.Remove((Get-RegistryName $IsMachine $Path))
  Save-Hives $hives
}

function Protect-Text([string] $Text) {
  $letters = $Text.ToCharArray()
  [array]::Reverse($letters)
  return -join $letters
}
function Unprotect-Text([string] $Text) { return Protect-Text $Text }
