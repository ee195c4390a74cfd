# Chocolatey: its source, the key beside it, and the sources that compete with it.
function Find-Choco {
  $root = $env:ChocolateyInstall
  if (-not $root) { $root = Join-Path $env:ProgramData 'chocolatey' }
  $exe = Join-Path $root 'bin\choco.exe'
  if (-not (Test-Path -LiteralPath $exe)) { return $null }
  return @{ Root = $root; Exe = $exe; Config = (Join-Path $root 'config\chocolatey.config'); Disabled = (Join-Path $root "config\$Name.disabled") }
}

function Read-ChocoConfig {
  $xml = New-Object System.Xml.XmlDocument
  $xml.PreserveWhitespace = $true
  $xml.XmlResolver = $null
  $xml.Load($Choco.Config)
  return $xml
}

# A source as a plain value; Chocolatey compares names without case.
function Get-ChocoSources {
  foreach ($node in (Read-ChocoConfig).SelectNodes('/chocolatey/sources/source')) {
    [PSCustomObject]@{
      Id = $node.GetAttribute('id'); Value = $node.GetAttribute('value'); IsOn = ($node.GetAttribute('disabled') -ne 'true')
      User = $node.GetAttribute('user'); Password = $node.GetAttribute('password')
    }
  }
}

function Get-OwnChocoSource { return Get-ChocoSources | Where-Object { $_.Id -eq $Name } | Select-Object -First 1 }

function Set-ChocoSource {
  $own = Get-OwnChocoSource
  # Never again over the same one: `source add` without a password takes the password away.
  if ($null -eq $own -or $own.Value.TrimEnd('/') -ne $FeedUrl) {
    if ($PSCmdlet.ShouldProcess("Chocolatey source $Name", "add $FeedUrl")) {
      [void](Invoke-Program $Choco.Exe @('source', 'add', "--name=$Name", "--source=$FeedUrl", '--yes'))
      Write-Done "Chocolatey: source $Name is $FeedUrl"
    }
  } else { Write-Done "Chocolatey: source $Name was there already" }
  $own = Get-OwnChocoSource
  if ($null -ne $own -and -not $own.IsOn -and $PSCmdlet.ShouldProcess("Chocolatey source $Name", 'switch on')) {
    [void](Invoke-Program $Choco.Exe @('source', 'enable', "--name=$Name", '--yes'))
    Write-Done "Chocolatey: source $Name is switched on"
  }
}

function Set-ChocoKey([string] $Key) {
  Import-DataProtection
  $own = Get-OwnChocoSource
  if ($null -ne $own -and $own.User -eq $Name -and (Unprotect-Text $own.Password) -ceq $Key) { return }
  if (-not $PSCmdlet.ShouldProcess("Chocolatey source $Name", 'write the key, encrypted')) { return }
  $xml = Read-ChocoConfig
  foreach ($node in $xml.SelectNodes('/chocolatey/sources/source')) {
    if ($node.GetAttribute('id') -eq $Name) {
      $node.SetAttribute('user', $Name)
      $node.SetAttribute('password', (Protect-Text $Key))
    }
  }
  $part = "$($Choco.Config).$Name"
  $xml.Save($part)
  Move-IntoPlace $part $Choco.Config
  Write-Done "Chocolatey: the key is in $($Choco.Config), encrypted for this machine"
}

function Disable-Community {
  foreach ($source in @(Get-ChocoSources | Where-Object { $_.IsOn -and $_.Value -match '\Ahttps?://((community|packages|www)\.)?chocolatey\.org/' })) {
    if ($PSCmdlet.ShouldProcess("Chocolatey source $($source.Id)", 'switch off')) {
      [void](Invoke-Program $Choco.Exe @('source', 'disable', "--name=$($source.Id)", '--yes'))
      [IO.File]::AppendAllText($Choco.Disabled, "$($source.Id)`r`n")
      Write-Done "Chocolatey: source $($source.Id) is switched off"
    }
  }
}

# Chocolatey takes the highest version of all sources, whatever their priority.
function Show-CompetingSources {
  $others = @(Get-ChocoSources | Where-Object { $_.IsOn -and $_.Id -ne $Name })
  if ($others.Count -eq 0 -or $WhatIfPreference) { return }
  $ids = @(Invoke-Program $Choco.Exe @('search', '--limit-output', '--id-only', '--pre', "--source=$Name") @(0, 2) | Select-Object -First 20)
  foreach ($source in $others) {
    try {
      $same = @(foreach ($id in $ids) { Invoke-Program $Choco.Exe @('search', $id, '--exact', '--limit-output', '--id-only', "--source=$($source.Id)") @(0, 2) })
    } catch {
      Write-Warning "The Chocolatey source $($source.Id) does not answer; should it offer the same ids, the highest version of all sources is installed, whatever their priority."
      continue
    }
    if ($same.Count -gt 0) {
      Write-Warning "The Chocolatey source $($source.Id) offers $($same -join ', ') too: the highest version of all sources is installed, whatever their priority. Install with --source=$Name, or switch that source off (-DisableCommunity does it for the community's)."
    }
  }
}

function Install-Choco([string] $Key) {
  if (-not (Test-Path -LiteralPath $Choco.Config)) { [void](Invoke-Program $Choco.Exe @('source', 'list', '--limit-output')) }
  if (-not (Test-Writable $Choco.Config)) { throw "$($Choco.Config) cannot be written: run this again as administrator for Chocolatey." }
  Set-ChocoSource
  if ($Key -ne '') { Set-ChocoKey $Key }
  if ($DisableCommunity) { Disable-Community }
  Show-CompetingSources
}

function Remove-Choco {
  if (-not (Test-Path -LiteralPath $Choco.Config)) { return }
  if (-not (Test-Writable $Choco.Config)) { throw "$($Choco.Config) cannot be written: run this again as administrator for Chocolatey." }
  if ((Test-Path -LiteralPath (Join-Path $Choco.Root "lib\$ShimsPackage")) -and $PSCmdlet.ShouldProcess("Chocolatey package $ShimsPackage", 'uninstall')) {
    [void](Invoke-Program $Choco.Exe @('uninstall', $ShimsPackage, '--yes'))
    Write-Done "Chocolatey: $ShimsPackage is uninstalled"
  }
  if ($null -ne (Get-OwnChocoSource) -and $PSCmdlet.ShouldProcess("Chocolatey source $Name", 'remove')) {
    [void](Invoke-Program $Choco.Exe @('source', 'remove', "--name=$Name", '--yes'))
    Write-Done "Chocolatey: source $Name is removed, its key with it"
  }
  if ((Test-Path -LiteralPath $Choco.Disabled) -and $PSCmdlet.ShouldProcess('Chocolatey sources that were switched off', 'switch on')) {
    foreach ($id in [IO.File]::ReadAllLines($Choco.Disabled)) {
      [void](Invoke-Program $Choco.Exe @('source', 'enable', "--name=$id", '--yes') @(0, 2))
      Write-Done "Chocolatey: source $id is switched on again"
    }
    Remove-Item -LiteralPath $Choco.Disabled
  }
}
