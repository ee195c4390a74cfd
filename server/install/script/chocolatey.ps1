# Chocolatey: its source, the key beside it, and the sources that compete with it.
function Find-Choco {
  $root = $env:ChocolateyInstall
  if (-not $root -and $env:ProgramData) { $root = Join-Path $env:ProgramData 'chocolatey' }
  if (-not $root) { return $null }
  $exe = Join-Path $root 'bin\choco.exe'
  if (-not (Test-Path -LiteralPath $exe)) { return $null }
  $config = Join-Path $root 'config'
  return @{
    Root = $root; Exe = $exe; Config = (Join-Path $config 'chocolatey.config'); Disabled = (Join-Path $config "$Name.disabled")
    Package = (Join-Path $root "lib\$ShimsPackage"); Shims = (Join-Path $root "lib\$ShimsPackage\tools")
  }
}

function Assert-Choco {
  $folders = 'bin', 'config', 'lib' | ForEach-Object { Join-Path $Choco.Root $_ }
  Assert-OutOfReach (@($Choco.Root) + $folders + @($Choco.Package, $Choco.Exe, $Choco.Config, "$($Choco.Config).backup", $Choco.Disabled))
}

# 2 means "nothing to do" with useEnhancedExitCodes, the others are installers' codes for success; the result is checked
# afterwards.
function Invoke-Choco([string[]] $Arguments) {
  Assert-Choco
  return Invoke-Program $Choco.Exe $Arguments @(0, 2, 1605, 1614, 1641, 3010)
}

function Read-ChocoConfig([string] $File) {
  $xml = New-Object System.Xml.XmlDocument
  $xml.PreserveWhitespace = $true
  $xml.XmlResolver = $null
  try { $xml.Load($File) }
  catch { throw "$File cannot be read, and is left as it is: $($_.Exception.GetBaseException().Message)" }
  return $xml
}

# A source as a plain value. Chocolatey compares names without case.
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

function Test-ChocoSource {
  $own = Get-OwnChocoSource
  return $null -ne $own -and $own.Value.TrimEnd('/') -eq $FeedUrl
}

# The owner of a stored key can only be checked once the key of this run is known.
function Test-ChocoKey {
  $own = Get-OwnChocoSource
  if ($null -eq $own -or $own.User -ne $Name -or $own.Password -eq '') { return $false }
  return $Given.Key -eq '' -or (Unprotect-Text $own.Password) -ceq $Given.Key
}

function Get-CommunitySources { return Get-ChocoSources | Where-Object { $_.IsOn -and $_.Value -match '\Ahttps?://((community|packages|www)\.)?chocolatey\.org/' } }

# Changes our sources in one of choco's files: choco itself has no command for it that hides a password.
function Edit-ChocoSource([string] $File, [scriptblock] $Change) {
  Assert-Choco
  $xml = Read-ChocoConfig $File
  foreach ($node in @($xml.SelectNodes('/chocolatey/sources/source'))) {
    if ($node.GetAttribute('id') -eq $Name) { . $Change $node }
  }
  $part = New-Part $File
  $xml.Save($part)
  Move-IntoPlace $part $File
}

function Set-ChocoKey {
  Edit-ChocoSource $Choco.Config {
    param($Node)
    $Node.SetAttribute('user', $Name)
    $Node.SetAttribute('password', (Protect-Text $Given.Key))
  }
}

# choco keeps the configuration from before its last change (choco XmlService), including the key.
function Get-ChocoFilesWithKey { return @($Choco.Config, "$($Choco.Config).backup") | Where-Object { (Get-OwnChocoSource $_).Password } }

function Clear-ChocoKey {
  foreach ($file in @(Get-ChocoFilesWithKey)) {
    Edit-ChocoSource $file {
      param($Node)
      $Node.RemoveAttribute('user')
      $Node.RemoveAttribute('password')
    }
  }
}

# Checks that Chocolatey itself finds packages at this source: it has its own proxy and certificates.
function Assert-ChocoAnswers {
  $arguments = @('search', '--exact', '--limit-output', '--id-only', '--pre', "--source=$Name")
  if (-not $Given.Offers) {
    [void](Invoke-Choco @('search', '--limit-output', '--id-only', "--source=$Name"))
    return
  }
  $found = @(Invoke-Choco (@('search', $Given.Offers) + $arguments[1..5]) | Where-Object { $_ })
  if ($found.Count -eq 0) { throw "choco finds nothing at its source $Name, although the server has $($Given.Offers), so no other source was switched off. See: choco search --source=$Name" }
}

function Disable-Community {
  Assert-ChocoAnswers
  foreach ($source in @(Get-CommunitySources)) {
    [void](Invoke-Choco @('source', 'disable', "--name=$($source.Id)", '--yes'))
    [IO.File]::AppendAllText($Choco.Disabled, "$($source.Id)`r`n")
  }
}

function Enable-Others {
  $ids = @([IO.File]::ReadAllLines($Choco.Disabled) | Where-Object { $_ -ne '' })
  $off = @(Get-ChocoSources | Where-Object { $ids -contains $_.Id -and -not $_.IsOn })
  foreach ($source in $off) { [void](Invoke-Choco @('source', 'enable', "--name=$($source.Id)", '--yes')) }
  $left = @(Get-ChocoSources | Where-Object { $ids -contains $_.Id -and -not $_.IsOn } | ForEach-Object { $_.Id })
  if ($left.Count -gt 0) { throw "choco did not switch on: $($left -join ', ')" }
  [IO.File]::Delete($Choco.Disabled)
}

function Get-ChocoTasks {
  New-Task "source $Name is $FeedUrl" { Test-ChocoSource } {
    # Not repeated for an existing source: `source add` without a password would remove its password.
    [void](Invoke-Choco @('source', 'add', "--name=$Name", "--source=$FeedUrl", '--yes'))
  }
  New-Task "source $Name is on" { $own = Get-OwnChocoSource; $null -eq $own -or $own.IsOn } {
    [void](Invoke-Choco @('source', 'enable', "--name=$Name", '--yes'))
  }
  if ($ReadAuth -ne 'none') { New-Task "the key is in $($Choco.Config), encrypted for this machine" { Test-ChocoKey } { Set-ChocoKey } }
  else { New-Task "no key is in $($Choco.Config), since none is needed" { @(Get-ChocoFilesWithKey).Count -eq 0 } { Clear-ChocoKey } }
  if ($DisableCommunity) { New-Task 'the community source is off' { @(Get-CommunitySources).Count -eq 0 } { Disable-Community } }
}

function Get-ChocoRemoval {
  New-Task "package $ShimsPackage is uninstalled" { -not (Test-Path -LiteralPath $Choco.Package) } { [void](Invoke-Choco @('uninstall', $ShimsPackage, '--yes')) }
  New-Task "source $Name is removed, its key with it" { $null -eq (Get-OwnChocoSource) } { [void](Invoke-Choco @('source', 'remove', "--name=$Name", '--yes')) }
  New-Task 'the sources that were switched off are on again' { -not (Test-Path -LiteralPath $Choco.Disabled) } { Enable-Others }
  New-Task "no key is in $($Choco.Config).backup" { $null -eq (Get-OwnChocoSource "$($Choco.Config).backup") } {
    Edit-ChocoSource "$($Choco.Config).backup" { param($Node) [void]$Node.ParentNode.RemoveChild($Node) }
  }
}

# Chocolatey installs the highest version of all sources, whatever their priority.
function Show-CompetingSources {
  if (-not (Test-Person)) { return }
  $others = @(Get-ChocoSources | Where-Object { $_.IsOn -and $_.Id -ne $Name -and -not "$($_.Value)/".StartsWith("$BaseUrl/", [StringComparison]::OrdinalIgnoreCase) })
  foreach ($source in $others) {
    try { $same = @($Tools | ForEach-Object { Invoke-Choco @('search', $_, '--exact', '--limit-output', '--id-only', "--source=$($source.Id)") } | Where-Object { $_ }) }
    catch {
      Write-Note "The Chocolatey source $($source.Id) does not answer. If it offers the same ids, the highest version of all sources is installed, whatever their priority."
      continue
    }
    if ($same.Count -gt 0) {
      Write-Note "The Chocolatey source $($source.Id) offers $($same -join ', ') too: the highest version of all sources is installed, whatever their priority. Install with --source=$Name, or switch that source off (-DisableCommunity does this for the community source)."
    }
  }
}
