# The shims and their place in PATH.
function Get-Hive([bool] $IsMachine) {
  if ($IsMachine) { return [Microsoft.Win32.Registry]::LocalMachine }
  return [Microsoft.Win32.Registry]::CurrentUser
}

function Open-Environment([bool] $IsMachine) {
  if ($IsMachine) { return (Get-Hive $true).OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment', (Test-Admin)) }
  return (Get-Hive $false).OpenSubKey('Environment', $true)
}

# The folder that this script put into PATH is kept beside it, so that -ShimsDir need not be named again for -Remove.
$Memory = "Software\$Name"

function Get-PutFolder([bool] $IsMachine) {
  $key = (Get-Hive $IsMachine).OpenSubKey($Memory)
  if ($null -eq $key) { return }
  try { $key.GetValue('ShimsDir') | Where-Object { $_ } }
  finally { $key.Dispose() }
}

function Clear-PutFolder([bool] $IsMachine) {
  $dir = Get-PutFolder $IsMachine
  if ($null -ne $dir -and $PSCmdlet.ShouldProcess("that $dir was put into PATH", 'forget')) { (Get-Hive $IsMachine).DeleteSubKey($Memory, $false) }
}

# Unexpanded, so that entries such as %SystemRoot% stay what they are.
function Get-PathFolders([bool] $IsMachine) {
  $key = Open-Environment $IsMachine
  try { return [string]$key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames) -split ';' }
  finally { $key.Dispose() }
}

function Set-FirstInPath([string[]] $Without, [string] $First, [bool] $IsMachine) {
  $before = @(Get-PathFolders $IsMachine)
  $after = @($before | Where-Object { $Without -notcontains $_.TrimEnd('\') })
  if ($First -ne '') { $after = @($First) + $after }
  $whose = 'the PATH of this user'
  if ($IsMachine) { $whose = 'the PATH of this machine' }
  $action = "take out $($Without -join ', ')"
  if ($First -ne '') { $action = "put $First first" }
  if (($after -join ';') -eq ($before -join ';') -or -not $PSCmdlet.ShouldProcess($whose, $action)) { return }
  $key = Open-Environment $IsMachine
  $kept = (Get-Hive $IsMachine).CreateSubKey($Memory)
  try {
    $kept.SetValue('ShimsDir', $First)
    $key.SetValue('Path', ($after -join ';'), [Microsoft.Win32.RegistryValueKind]::ExpandString)
  } finally {
    $key.Dispose()
    $kept.Dispose()
  }
  # Tells the windows that are open, as every change of a variable does.
  [Environment]::SetEnvironmentVariable('GO_WIN_TOOLS_CHANGED', $null, 'User')
  Write-Done "PATH: $action in $whose; new windows see it"
}

# By the location of PowerShell, which is not the working folder of its process; the folder may be gone.
function Get-ShimsFolders {
  if ($ShimsDir -ne '') { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($ShimsDir).TrimEnd('\') }
  if ($null -ne $Choco) { Join-Path $Choco.Root "lib\$ShimsPackage\tools" }
  if ($null -ne $Scoop) { Join-Path $Scoop.Root "apps\$ShimsPackage\current" }
  foreach ($isMachine in $true, $false) { Get-PutFolder $isMachine }
}

# Who besides administrators could put programs there: in the PATH of all they would be run by all.
function Get-Writers([string] $Path) {
  # SYSTEM, Administrators, TrustedInstaller, Domain Admins, and whoever creates something (it is theirs alone).
  $trusted = '\AS-1-(5-18|5-32-544|3-0|5-80-956008885-3418522649-1831038044-1853292631-2271478464|5-21-.+-512)\z'
  # Create, append, delete, change permissions or the owner, and the generic ones.
  $changes = 0x500D0046
  $acl = Get-Acl -LiteralPath $Path
  $sids = @($acl.GetOwner([Security.Principal.SecurityIdentifier]))
  foreach ($rule in $acl.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
    # 2: for what will be made in it alone.
    $isHere = ([int]$rule.PropagationFlags -band 2) -eq 0
    if ($isHere -and $rule.AccessControlType -eq 'Allow' -and ([int]$rule.FileSystemRights -band $changes) -ne 0) { $sids += $rule.IdentityReference }
  }
  foreach ($sid in $sids) {
    if ($sid.Value -match $trusted) { continue }
    try { $sid.Translate([Security.Principal.NTAccount]).Value }
    catch { $sid.Value }
  }
}

function Assert-AdminsOnly([string] $Dir) {
  $paths = @($Dir) + @(Get-ChildItem -LiteralPath $Dir -Force | ForEach-Object { $_.FullName })
  $writers = @($paths | ForEach-Object { Get-Writers $_ } | Select-Object -Unique)
  if ($writers.Count -eq 0) { return }
  throw "$Dir does not go into the PATH of this machine: $($writers -join ', ') can change what is in it, and so what all users and administrators run. Take a folder that administrators alone can write, such as one below $env:ProgramFiles, or run this without administrator rights for the PATH of this user."
}

function Install-Shims {
  $isMachine = Test-Admin
  if ($ShimsDir -ne '') {
    $dir = (Resolve-Path -LiteralPath $ShimsDir).ProviderPath.TrimEnd('\')
    if ($isMachine) { Assert-AdminsOnly $dir }
  } elseif ($null -ne $Choco -and (Test-Writable $Choco.Config)) {
    $dir = Join-Path $Choco.Root "lib\$ShimsPackage\tools"
    $arguments = @('upgrade', $ShimsPackage, '--yes', '--no-progress', "--source=$Name")
    if ($Beta) { $arguments += '--pre' }
    if ($PSCmdlet.ShouldProcess("Chocolatey package $ShimsPackage", 'install or upgrade')) { [void](Invoke-Program $Choco.Exe $arguments) }
  } elseif ($null -ne $Choco -and @(Get-PathFolders $true)[0] -eq (Join-Path $Choco.Root "lib\$ShimsPackage\tools")) {
    Write-Done 'PATH: the shims are first in that of this machine already; an administrator can upgrade them'
    return
  } elseif ($null -ne $Scoop) {
    $dir = Join-Path $Scoop.Root "apps\$ShimsPackage\current"
    $verb = 'install'
    if (Test-Path -LiteralPath $dir) { $verb = 'update' }
    $app = "$Name/$ShimsPackage"
    if ($verb -eq 'update') { $app = $ShimsPackage }
    if ($PSCmdlet.ShouldProcess("Scoop app $ShimsPackage", $verb)) { Invoke-Scoop @($verb, $app) }
    # What one user may write must not be searched by all of the machine.
    if ($isMachine) { Write-Warning "$dir belongs to this user, so that it goes into this user's PATH and not into the machine's." }
    $isMachine = $false
  } else { throw "The shims come with Chocolatey (as administrator) or Scoop, or name a folder: -ShimsDir DIR" }
  if (-not $WhatIfPreference -and -not (Test-Path -LiteralPath $dir)) { throw "The shims are not in $dir." }
  Set-FirstInPath (@($dir) + @(Get-PutFolder $isMachine)) $dir $isMachine
  if (-not $isMachine) {
    Write-Warning "The machine's PATH comes before the user's: a tool that Chocolatey put there runs in place of its shim. As administrator this script puts the shims before it."
  }
}
