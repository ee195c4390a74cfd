# The shims and their place in PATH.
# Unexpanded, so that entries such as %SystemRoot% stay what they are.
function Set-FirstInPath([string[]] $Without, [string] $First, [bool] $IsMachine) {
  if ($IsMachine) { $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment', $true) }
  else { $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true) }
  try {
    $before = [string]$key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
    $folders = @($before -split ';' | Where-Object { $Without -notcontains $_.TrimEnd('\') })
    if ($First -ne '') { $folders = @($First) + $folders }
    $after = $folders -join ';'
    $whose = 'the PATH of this user'
    if ($IsMachine) { $whose = 'the PATH of this machine' }
    $action = "take out $($Without -join ', ')"
    if ($First -ne '') { $action = "put $First first" }
    if ($after -eq $before -or -not $PSCmdlet.ShouldProcess($whose, $action)) { return }
    $key.SetValue('Path', $after, [Microsoft.Win32.RegistryValueKind]::ExpandString)
    # Tells the windows that are open, as every change of a variable does.
    [Environment]::SetEnvironmentVariable('GO_WIN_TOOLS_CHANGED', $null, 'User')
    Write-Done "PATH: $action in $whose; new windows see it"
  } finally {
    $key.Dispose()
  }
}

# By the location of PowerShell, which is not the working folder of its process; the folder may be gone.
function Get-ShimsFolders {
  if ($ShimsDir -ne '') { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($ShimsDir).TrimEnd('\') }
  if ($null -ne $Choco) { Join-Path $Choco.Root "lib\$ShimsPackage\tools" }
  if ($null -ne $Scoop) { Join-Path $Scoop.Root "apps\$ShimsPackage\current" }
}

function Install-Shims {
  $isMachine = Test-Admin
  if ($ShimsDir -ne '') {
    $dir = (Resolve-Path -LiteralPath $ShimsDir).ProviderPath.TrimEnd('\')
  } elseif ($null -ne $Choco -and (Test-Writable $Choco.Config)) {
    $dir = Join-Path $Choco.Root "lib\$ShimsPackage\tools"
    $arguments = @('upgrade', $ShimsPackage, '--yes', '--no-progress', "--source=$Name")
    if ($Beta) { $arguments += '--pre' }
    if ($PSCmdlet.ShouldProcess("Chocolatey package $ShimsPackage", 'install or upgrade')) { [void](Invoke-Program $Choco.Exe $arguments) }
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
  Set-FirstInPath @($dir) $dir $isMachine
  if (-not $isMachine) {
    Write-Warning "The machine's PATH comes before the user's: a tool that Chocolatey put there runs in place of its shim. As administrator this script puts the shims before it."
  }
}
