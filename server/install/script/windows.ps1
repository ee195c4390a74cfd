# Everything that needs Windows itself: rights, the registry, passwords of the machine.
function Test-Windows { return [Environment]::OSVersion.Platform -eq 'Win32NT' }

function Test-Admin {
  if (-not (Test-Windows)) { return $false }
  $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
  $principal = New-Object Security.Principal.WindowsPrincipal -ArgumentList $identity
  return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Get-Me { return [Security.Principal.WindowsIdentity]::GetCurrent().User.Value }

function Test-FixedDrive([string] $Path) { return -not $Path.StartsWith('\\') -and (New-Object IO.DriveInfo -ArgumentList $Path).DriveType -eq 'Fixed' }

function Test-Writable([string] $File) {
  try {
    [IO.File]::Open($File, [IO.FileMode]::Open, [IO.FileAccess]::ReadWrite, [IO.FileShare]::ReadWrite).Dispose()
    return $true
  } catch {
    return $false
  }
}

# Session 0 belongs to services and management tools: nobody sees its windows.
function Test-ServiceSession {
  if (-not (Test-Windows)) { return $false }
  $process = [Diagnostics.Process]::GetCurrentProcess()
  try { return $process.SessionId -eq 0 }
  finally { $process.Dispose() }
}

# A 32-bit PowerShell sees its own HKLM\Software, and nobody else would read what it writes there.
function Open-Hive([bool] $IsMachine) {
  $hive = [Microsoft.Win32.RegistryHive]::CurrentUser
  if ($IsMachine) { $hive = [Microsoft.Win32.RegistryHive]::LocalMachine }
  return [Microsoft.Win32.RegistryKey]::OpenBaseKey($hive, [Microsoft.Win32.RegistryView]::Registry64)
}

# Unexpanded, so that entries such as %SystemRoot% stay unchanged; '' if there is no key or value.
function Read-Registry([bool] $IsMachine, [string] $Path, [string] $Value) {
  if (-not (Test-Windows)) { return '' }
  $hive = Open-Hive $IsMachine
  try {
    $key = $hive.OpenSubKey($Path)
    if ($null -eq $key) { return '' }
    try { return [string]$key.GetValue($Value, '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames) }
    finally { $key.Dispose() }
  } finally { $hive.Dispose() }
}

function Write-Registry([bool] $IsMachine, [string] $Path, [string] $Value, [string] $Text, [string] $Kind) {
  $hive = Open-Hive $IsMachine
  try {
    $key = $hive.CreateSubKey($Path)
    try { $key.SetValue($Value, $Text, [Microsoft.Win32.RegistryValueKind]$Kind) }
    finally { $key.Dispose() }
  } finally { $hive.Dispose() }
}

function Remove-RegistryKey([bool] $IsMachine, [string] $Path) {
  $hive = Open-Hive $IsMachine
  try { $hive.DeleteSubKey($Path, $false) }
  finally { $hive.Dispose() }
}

# Notifies open windows, as every change of a variable does.
function Send-EnvironmentChange { [Environment]::SetEnvironmentVariable('GO_WIN_TOOLS_CHANGED', [NullString]::Value, 'User') }

# Encrypts like Chocolatey does for passwords of sources: for this machine, with its own entropy (choco DefaultEncryptionUtility).
function Import-DataProtection {
  if ($PSVersionTable.PSEdition -eq 'Core') { Add-Type -AssemblyName System.Security.Cryptography.ProtectedData }
  else { Add-Type -AssemblyName System.Security }
}
$Entropy = [Text.Encoding]::UTF8.GetBytes('Chocolatey')

function Protect-Text([string] $Text) {
  Import-DataProtection
  $bytes = [Text.Encoding]::UTF8.GetBytes($Text)
  return [Convert]::ToBase64String([Security.Cryptography.ProtectedData]::Protect($bytes, $Entropy, [Security.Cryptography.DataProtectionScope]::LocalMachine))
}

function Unprotect-Text([string] $Text) {
  Import-DataProtection
  try { return [Text.Encoding]::UTF8.GetString([Security.Cryptography.ProtectedData]::Unprotect([Convert]::FromBase64String($Text), $Entropy, [Security.Cryptography.DataProtectionScope]::LocalMachine)) }
  catch { return '' }
}
