# What is done, in which order; one part that fails leaves the others their chance.
function Invoke-Part([string] $Title, [scriptblock] $Part) {
  Write-Host $Title
  try { . $Part }
  catch {
    Write-Warning $_.Exception.Message
    [void]$Failures.Add("${Title}: $($_.Exception.Message)")
  }
}

if ($PSVersionTable.PSEdition -ne 'Core') {
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
}
$Choco = Find-Choco
$Scoop = Find-Scoop
if ($null -eq $Choco -and $null -eq $Scoop -and $ShimsDir -eq '' -and -not $Remove) {
  throw 'Neither Chocolatey nor Scoop is here: install one of them (https://chocolatey.org/install, https://scoop.sh), then run this again.'
}
if ($null -eq $Choco) { Write-Host 'Chocolatey is not here.' }
if ($null -eq $Scoop) { Write-Host 'Scoop is not here (for this user).' }

if ($Remove) {
  Invoke-Part 'PATH' {
    Set-FirstInPath @(Get-ShimsFolders $false) '' $false
    Clear-PutFolder $false
    $folders = @(Get-ShimsFolders $true)
    if (Test-Admin) {
      Set-FirstInPath $folders '' $true
      Clear-PutFolder $true
    } else {
      $left = @([Environment]::GetEnvironmentVariable('Path', 'Machine') -split ';' | Where-Object { $folders -contains $_.TrimEnd('\') })
      if ($left.Count -gt 0) { throw "$($left -join ', ') is in the PATH of this machine: run this again as administrator." }
    }
  }
  if ($null -ne $Choco) { Invoke-Part 'Chocolatey' { Remove-Choco } }
  if ($null -ne $Scoop) { Invoke-Part 'Scoop' { Remove-Scoop } }
  Invoke-Part 'git' { Remove-GitCredential }
} else {
  # The feed needs a key from READ_AUTH=feed on, the bucket and its files with READ_AUTH=all.
  $key = ''
  if ($ReadAuth -ne 'none' -and ($null -ne $Choco -or $ReadAuth -eq 'all')) {
    if ($WhatIfPreference) { $key = 'not-asked-for' } else { $key = Get-ReadKey }
  }
  $scoopKey = ''
  if ($ReadAuth -eq 'all') { $scoopKey = $key }
  if ($null -ne $Choco) { Invoke-Part 'Chocolatey' { Install-Choco $key } }
  if ($null -ne $Scoop) { Invoke-Part 'Scoop' { Install-Scoop $scoopKey } }
  if ($Shims -or $ShimsDir -ne '') { Invoke-Part 'Shims' { Install-Shims } }
}
if ($Failures.Count -gt 0) { throw "Not all was done. $($Failures -join ' ')" }
if ($Remove) { Write-Host "Done. Tools that were installed stay: choco uninstall TOOL, scoop uninstall TOOL." }
else { Write-Host "Done. choco install TOOL, scoop install $Name/TOOL" }
