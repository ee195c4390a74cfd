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
  # Either would make it another folder, or two.
  if ($First -match '[;%]') { throw "$First does not go into PATH: expected a folder without ; and % in its name." }
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
  [Environment]::SetEnvironmentVariable('GO_WIN_TOOLS_CHANGED', [NullString]::Value, 'User')
  Write-Done "PATH: $action in $whose; new windows see it"
}

# By the location of PowerShell, which is not the working folder of its process; the folder may be gone. What a user's registry
# says is true of that user's PATH alone.
function Get-ShimsFolders([bool] $IsMachine) {
  if ($ShimsDir -ne '') { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($ShimsDir).TrimEnd('\') }
  if ($null -ne $Choco) { Join-Path $Choco.Root "lib\$ShimsPackage\tools" }
  if ($null -ne $Scoop) { Join-Path $Scoop.Root "apps\$ShimsPackage\current" }
  Get-PutFolder $true
  if (-not $IsMachine) { Get-PutFolder $false }
}

function Install-Shims {
  $isMachine = Test-Admin
  if ($ShimsDir -ne '') {
    $dir = (Resolve-Path -LiteralPath $ShimsDir).ProviderPath.TrimEnd('\')
    if ($isMachine) { Assert-AdminsOnly $dir }
  } elseif ($null -ne $Choco -and (Test-Writable $Choco.Config)) {
    $dir = Join-Path $Choco.Root "lib\$ShimsPackage\tools"
    Assert-Choco
    $arguments = @('upgrade', $ShimsPackage, '--yes', '--no-progress', "--source=$Name")
    if ($Beta) { $arguments += '--pre' }
    if ($PSCmdlet.ShouldProcess("Chocolatey package $ShimsPackage", 'install or upgrade')) { [void](Invoke-Program $Choco.Exe $arguments) }
    if ($isMachine) { Assert-OutOfReach (@($dir) + @(Get-ChildItem -LiteralPath $dir -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName })) }
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
