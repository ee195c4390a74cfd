# Chocolatey: its source, the key beside it, and the sources that compete with it.
function Find-Choco {
  $root = $env:ChocolateyInstall
  if (-not $root) { $root = Join-Path $env:ProgramData 'chocolatey' }
  $exe = Join-Path $root 'bin\choco.exe'
  if (-not (Test-Path -LiteralPath $exe)) { return $null }
  return @{ Root = $root; Exe = $exe; Config = (Join-Path $root 'config\chocolatey.config'); Disabled = (Join-Path $root "config\$Name.disabled") }
}

function Assert-Choco {
  $folders = 'bin', 'config', 'lib', "lib\$ShimsPackage" | ForEach-Object { Join-Path $Choco.Root $_ }
  Assert-OutOfReach (@($Choco.Root) + $folders + @($Choco.Exe, $Choco.Config, "$($Choco.Config).backup", $Choco.Disabled))
}

function Read-ChocoConfig([string] $File) {
  $xml = New-Object System.Xml.XmlDocument
  $xml.PreserveWhitespace = $true
  $xml.XmlResolver = $null
  $xml.Load($File)
  return $xml
}

# A source as a plain value; Chocolatey compares names without case.
function Get-ChocoSources([string] $File = $Choco.Config) {
  if (-not (Test-Path -LiteralPath $File)) { return }
  foreach ($node in (Read-ChocoConfig $File).SelectNodes('/chocolatey/sources/source')) {
    [PSCustomObject]@{
      Id = $node.GetAttribute('id'); Value = $node.GetAttribute('value'); IsOn = ($node.GetAttribute('disabled') -ne 'true')
      User = $node.GetAttribute('user'); Password = $node.GetAttribute('password')
    }
  }
}

function Get-OwnChocoSource([string] $File = $Choco.Config) { return Get-ChocoSources $File | Where-Object { $_.Id -eq $Name } | Select-Object -First 1 }

function Test-ChocoSource($Own) { return $null -ne $Own -and $Own.Value.TrimEnd('/') -eq $FeedUrl }

function Test-ChocoKey($Own, [string] $Key) {
  Import-DataProtection
  return $null -ne $Own -and $Own.User -eq $Name -and (Unprotect-Text $Own.Password) -ceq $Key
}

function Get-CommunitySources { return Get-ChocoSources | Where-Object { $_.IsOn -and $_.Value -match '\Ahttps?://((community|packages|www)\.)?chocolatey\.org/' } }

function Set-ChocoSource {
  $own = Get-OwnChocoSource
  # Never again over the same one: `source add` without a password takes the password away.
  if (-not (Test-ChocoSource $own)) {
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
  if (Test-ChocoKey (Get-OwnChocoSource) $Key) { return }
  if (-not $PSCmdlet.ShouldProcess("Chocolatey source $Name", 'write the key, encrypted')) { return }
  $xml = Read-ChocoConfig $Choco.Config
  foreach ($node in $xml.SelectNodes('/chocolatey/sources/source')) {
    if ($node.GetAttribute('id') -eq $Name) {
      $node.SetAttribute('user', $Name)
      $node.SetAttribute('password', (Protect-Text $Key))
    }
  }
  $part = New-Part $Choco.Config
  $xml.Save($part)
  Move-IntoPlace $part $Choco.Config
  Write-Done "Chocolatey: the key is in $($Choco.Config), encrypted for this machine"
}

function Disable-Community {
  foreach ($source in @(Get-CommunitySources)) {
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
  try { $ids = @(Invoke-Program $Choco.Exe @('search', '--limit-output', '--id-only', '--pre', "--source=$Name") @(0, 2)) }
  catch {
    Write-Warning "The feed could not be searched, so that nobody knows whether other sources offer its ids too. $($_.Exception.Message)"
    return
  }
  # What a feed answers is no option of choco's.
  $ids = @($ids | Where-Object { $_ -match '\A[A-Za-z0-9_][A-Za-z0-9_.-]*\z' })
  foreach ($source in $others) {
    $asked = 0
    $same = @()
    $watch = [Diagnostics.Stopwatch]::StartNew()
    try {
      foreach ($id in $ids) {
        # A feed may have hundreds, and each question is a start of choco.
        if ($watch.Elapsed.TotalMinutes -gt 2) { break }
        $same += @(Invoke-Program $Choco.Exe @('search', $id, '--exact', '--limit-output', '--id-only', "--source=$($source.Id)") @(0, 2))
        $asked++
      }
    } catch {
      Write-Warning "The Chocolatey source $($source.Id) does not answer; should it offer the same ids, the highest version of all sources is installed, whatever their priority."
      continue
    }
    if ($asked -lt $ids.Count) { Write-Warning "The Chocolatey source $($source.Id) was asked for the first $asked of the $($ids.Count) ids of this feed." }
    if ($same.Count -gt 0) {
      Write-Warning "The Chocolatey source $($source.Id) offers $($same -join ', ') too: the highest version of all sources is installed, whatever their priority. Install with --source=$Name, or switch that source off (-DisableCommunity does it for the community's)."
    }
  }
}

# What is still to be done, for which alone rights are needed.
function Get-ChocoTasks([string] $Key) {
  $own = Get-OwnChocoSource
  if (-not (Test-ChocoSource $own)) { "add the source $Name" }
  elseif (-not $own.IsOn) { "switch the source $Name on" }
  if ($Key -ne '' -and -not (Test-ChocoKey $own $Key)) { 'write the key' }
  if ($DisableCommunity -and @(Get-CommunitySources).Count -gt 0) { 'switch the community source off' }
}

function Assert-ChocoRights([string[]] $Tasks) {
  if ($Tasks.Count -eq 0 -or (Test-Writable $Choco.Config)) { return }
  $sentence = "Only an administrator can $($Tasks -join ', '): $($Choco.Config) cannot be written. Run this again as administrator."
  if (-not $WhatIfPreference) { throw $sentence }
  Write-Warning $sentence
}

function Install-Choco([string] $Key) {
  Assert-Choco
  if (-not (Test-Path -LiteralPath $Choco.Config)) { [void](Invoke-Program $Choco.Exe @('source', 'list', '--limit-output')) }
  Assert-ChocoRights @(Get-ChocoTasks $Key)
  Set-ChocoSource
  if ($Key -ne '') { Set-ChocoKey $Key }
  if ($DisableCommunity) { Disable-Community }
  Show-CompetingSources
}

function Remove-Choco {
  Assert-Choco
  $package = Test-Path -LiteralPath (Join-Path $Choco.Root "lib\$ShimsPackage")
  $source = $null -ne (Get-OwnChocoSource)
  $disabled = Test-Path -LiteralPath $Choco.Disabled
  $tasks = @()
  if ($package) { $tasks += "uninstall $ShimsPackage" }
  if ($source) { $tasks += "remove the source $Name" }
  if ($disabled) { $tasks += 'switch sources on again' }
  Assert-ChocoRights $tasks
  if ($package -and $PSCmdlet.ShouldProcess("Chocolatey package $ShimsPackage", 'uninstall')) {
    [void](Invoke-Program $Choco.Exe @('uninstall', $ShimsPackage, '--yes'))
    Write-Done "Chocolatey: $ShimsPackage is uninstalled"
  }
  if ($source -and $PSCmdlet.ShouldProcess("Chocolatey source $Name", 'remove')) {
    [void](Invoke-Program $Choco.Exe @('source', 'remove', "--name=$Name", '--yes'))
    Write-Done "Chocolatey: source $Name is removed, its key with it"
  }
  if ($disabled -and $PSCmdlet.ShouldProcess('Chocolatey sources that were switched off', 'switch on')) {
    foreach ($id in [IO.File]::ReadAllLines($Choco.Disabled)) {
      [void](Invoke-Program $Choco.Exe @('source', 'enable', "--name=$id", '--yes') @(0, 2))
      Write-Done "Chocolatey: source $id is switched on again"
    }
    Remove-Item -LiteralPath $Choco.Disabled
  }
  Remove-BackupSource
}

# choco keeps the configuration of before its last change (choco XmlService), and in it the key.
function Remove-BackupSource {
  $backup = "$($Choco.Config).backup"
  if ($null -eq (Get-OwnChocoSource $backup) -or -not (Test-Writable $backup)) { return }
  if (-not $PSCmdlet.ShouldProcess("Chocolatey source $Name in $backup", 'remove')) { return }
  $xml = Read-ChocoConfig $backup
  foreach ($node in @($xml.SelectNodes('/chocolatey/sources/source'))) {
    if ($node.GetAttribute('id') -eq $Name) { [void]$node.ParentNode.RemoveChild($node) }
  }
  $part = New-Part $backup
  $xml.Save($part)
  Move-IntoPlace $part $backup
  Write-Done "Chocolatey: the key is out of $backup, too"
}
