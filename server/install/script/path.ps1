# The shims and their place in PATH.
$PathKeys = @{ $true = 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment'; $false = 'Environment' }
# Remembers the folder that this script added to PATH, so that -Remove needs no -ShimsDir.
$Memory = "Software\$Name"

function Get-PutFolder([bool] $IsMachine) { return Read-Registry $IsMachine $Memory 'ShimsDir' | Where-Object { $_ } }

function Get-PathFolders([bool] $IsMachine) { return (Read-Registry $IsMachine $PathKeys[$IsMachine] 'Path') -split ';' }

function Get-PathOwner([bool] $IsMachine) {
  if ($IsMachine) { return 'the PATH of this machine' }
  return 'the PATH of this user'
}

function Test-FirstInPath([string] $Dir, [bool] $IsMachine) {
  $folders = @(Get-PathFolders $IsMachine | ForEach-Object { $_.TrimEnd('\') })
  return $folders[0] -eq $Dir -and @($folders | Where-Object { $_ -eq $Dir }).Count -eq 1 -and (Get-PutFolder $IsMachine) -eq $Dir
}

function Set-FirstInPath([string] $Dir, [bool] $IsMachine) {
  # Either of them would make it another folder, or two.
  if ($Dir -match '[;%]') { throw "$Dir cannot be added to PATH: expected a folder without ; and % in its name." }
  $without = @($Dir) + @(Get-PutFolder $IsMachine)
  $others = @(Get-PathFolders $IsMachine | Where-Object { $_ -ne '' -and $without -notcontains $_.TrimEnd('\') })
  # Stored first, so that whatever is in PATH can be removed again.
  Write-Registry $IsMachine $Memory 'ShimsDir' $Dir 'String'
  Write-Registry $IsMachine $PathKeys[$IsMachine] 'Path' ((@($Dir) + $others) -join ';') 'ExpandString'
  Send-EnvironmentChange
}

function Get-OwnInPath([bool] $IsMachine) {
  $own = @(Get-ShimsFolders $IsMachine)
  return Get-PathFolders $IsMachine | Where-Object { $_ -ne '' -and $own -contains $_.TrimEnd('\') }
}

function Clear-Path([bool] $IsMachine) {
  $own = @(Get-OwnInPath $IsMachine)
  if ($own.Count -gt 0) {
    $left = @(Get-PathFolders $IsMachine | Where-Object { $own -notcontains $_ })
    Write-Registry $IsMachine $PathKeys[$IsMachine] 'Path' ($left -join ';') 'ExpandString'
    Send-EnvironmentChange
  }
  Remove-RegistryKey $IsMachine $Memory
}

# The folders may be gone by now. A user's registry only applies to that user's PATH.
function Get-ShimsFolders([bool] $IsMachine) {
  if ($ShimsDir -ne '') { (Get-WholePath $ShimsDir).TrimEnd('\') }
  if ($null -ne $Choco) { $Choco.Shims }
  if ($null -ne $Scoop) { $Scoop.Shims }
  Get-PutFolder $true
  if (-not $IsMachine) { Get-PutFolder $false }
}

function Get-PathRemoval([bool] $IsMachine) {
  New-Task "no folder of shims is in $(Get-PathOwner $IsMachine)" { param($IsMachine) @(Get-OwnInPath $IsMachine).Count -eq 0 -and $null -eq (Get-PutFolder $IsMachine) } { param($IsMachine) Clear-Path $IsMachine } $IsMachine
}

# How the shims are installed, and where: in the user's own folder, by Chocolatey for the machine, or by Scoop for this user.
function Get-ShimsWay {
  if ($ShimsDir -ne '') { return @{ By = ''; Dir = (Get-WholePath $ShimsDir).TrimEnd('\'); IsMachine = (Test-Admin) } }
  $byChoco = $null -ne $Choco -and $Part -ne 'scoop'
  if ($byChoco -and (Test-FirstInPath $Choco.Shims $true) -and -not (Test-Writable $Choco.Config)) { return @{ By = ''; Dir = $Choco.Shims; IsMachine = $true } }
  $byScoop = $null -ne $Scoop -and $Part -ne 'chocolatey'
  if ($byChoco -and ((Test-Writable $Choco.Config) -or -not $byScoop)) { return @{ By = 'Chocolatey'; Dir = $Choco.Shims; IsMachine = (Test-Admin) } }
  # A folder that one user can write to must not be in the PATH of the whole machine.
  if ($byScoop) { return @{ By = 'Scoop'; Dir = $Scoop.Shims; IsMachine = $false } }
  throw 'The shims need Chocolatey (as administrator) or Scoop, or a folder: -ShimsDir DIR'
}

function Assert-ShimsFolder($Way) {
  if (-not (Test-Path -LiteralPath $Way.Dir)) { throw "The shims are not in $($Way.Dir)." }
  if (-not $Way.IsMachine) { return }
  if ($Way.By -eq '') { Assert-AdminsOnly $Way.Dir }
  else { Assert-OutOfReach (@($Way.Dir) + @(Get-ChildItem -LiteralPath $Way.Dir -Force | ForEach-Object { $_.FullName })) }
}

function Install-ShimsByChoco {
  $arguments = @('upgrade', $ShimsPackage, '--yes', '--no-progress', "--source=$Name")
  if ($Beta) { $arguments += '--pre' }
  [void](Invoke-Choco $arguments)
}

function Install-ShimsByScoop {
  if (Test-Path -LiteralPath $Scoop.Shims) { Invoke-Scoop @('update', $ShimsPackage) }
  else { Invoke-Scoop @('install', "$Name/$ShimsPackage") }
}

function Get-ShimsTasks {
  $way = Get-ShimsWay
  if ($way.By -eq 'Chocolatey') { New-Task "Chocolatey package $ShimsPackage is installed, in its newest version" { Test-Path -LiteralPath $Choco.Shims } { Install-ShimsByChoco } -Always }
  if ($way.By -eq 'Scoop') { New-Task "Scoop app $ShimsPackage is installed, in its newest version" { Test-Path -LiteralPath $Scoop.Shims } { Install-ShimsByScoop } -Always }
  New-Task "$($way.Dir) is first in $(Get-PathOwner $way.IsMachine); new windows see it" { param($Way) Test-FirstInPath $Way.Dir $Way.IsMachine } { param($Way) Assert-ShimsFolder $Way; Set-FirstInPath $Way.Dir $Way.IsMachine } $way
}

function Show-PathNotes {
  if ((Get-ShimsWay).IsMachine) { return }
  Write-Note "The machine's PATH comes before the user's: a tool that Chocolatey put there runs in place of its shim. As administrator this script puts the shims of Chocolatey, or of -ShimsDir, before it."
}
