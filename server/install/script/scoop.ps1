# Scoop: its bucket, and the key for downloads (private_hosts) and for git.
function Read-ScoopConfig([string] $File) {
  if (-not (Test-Path -LiteralPath $File)) { return New-Object PSObject }
  return [IO.File]::ReadAllText($File) | ConvertFrom-Json
}

# Where Scoop itself looks: environment, its configuration, the profile (Scoop lib/core.ps1).
function Find-Scoop {
  $configHome = $env:XDG_CONFIG_HOME
  if (-not $configHome) { $configHome = Join-Path $env:USERPROFILE '.config' }
  $config = Join-Path $configHome 'scoop\config.json'
  $root = $env:SCOOP
  if (-not $root) { $root = (Read-ScoopConfig $config).root_path }
  if (-not $root) { $root = Join-Path $env:USERPROFILE 'scoop' }
  $main = Join-Path $root 'apps\scoop\current\bin\scoop.ps1'
  if (-not (Test-Path -LiteralPath $main)) { return $null }
  $portable = Join-Path $root 'config.json'
  if (Test-Path -LiteralPath $portable) { $config = $portable }
  return @{ Root = $root; Script = $main; Config = $config; Bucket = (Join-Path $root "buckets\$Name"); Match = '^' + [regex]::Escape("$BaseUrl/dl/") }
}

function Assert-Scoop {
  $current = Join-Path $Scoop.Root 'apps\scoop\current'
  Assert-OutOfReach @($Scoop.Root, $current, (Join-Path $current 'bin'), $Scoop.Script, (Join-Path $current 'lib'), $Scoop.Bucket, (Split-Path -Parent $Scoop.Config))
}

# In a PowerShell of its own, by no cmd: an address goes through as it is. What it did is looked at afterwards.
function Invoke-Scoop([string[]] $Arguments) {
  Assert-Scoop
  $shell = Join-Path $PSHOME 'powershell.exe'
  if ($PSVersionTable.PSEdition -eq 'Core') { $shell = Join-Path $PSHOME 'pwsh.exe' }
  [void](Invoke-Program $shell (@('-NoProfile', '-ExecutionPolicy', 'Bypass', '-File', $Scoop.Script) + $Arguments))
}

function Find-Git {
  $command = Get-Command git.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
  if ($null -ne $command) { return $command.Path }
  if ($null -eq $Scoop) { return $null }
  $own = Join-Path $Scoop.Root 'apps\git\current\mingw64\bin\git.exe'
  if (Test-Path -LiteralPath $own) { return $own }
}

function Get-Git {
  $git = Find-Git
  if ($null -eq $git) { throw 'Scoop needs git for buckets: scoop install git' }
  return $git
}

function Set-PrivateHost([string] $Key) {
  $config = Read-ScoopConfig $Scoop.Config
  $others = @($config.private_hosts | Where-Object { $null -ne $_ -and $_.match -ne $Scoop.Match })
  $own = @($config.private_hosts | Where-Object { $null -ne $_ -and $_.match -eq $Scoop.Match })
  $headers = "X-NuGet-ApiKey=$Key"
  if ($Key -eq '' -and $own.Count -eq 0) { return }
  if ($Key -ne '' -and $own.Count -eq 1 -and $own[0].headers -ceq $headers) { return }
  if (-not $PSCmdlet.ShouldProcess("private_hosts in $($Scoop.Config)", 'write')) { return }
  $config.PSObject.Properties.Remove('private_hosts')
  if ($Key -ne '') { $others += [PSCustomObject]@{ match = $Scoop.Match; headers = $headers } }
  if ($others.Count -gt 0) { $config | Add-Member -MemberType NoteProperty -Name 'private_hosts' -Value $others }
  [void][IO.Directory]::CreateDirectory((Split-Path -Parent $Scoop.Config))
  $part = New-Part $Scoop.Config
  if ($Key -ne '') { Assert-Private @($part, $Scoop.Config) }
  [IO.File]::WriteAllText($part, ((ConvertTo-Json -InputObject $config -Depth 10) + "`r`n"), (New-Object System.Text.UTF8Encoding -ArgumentList $false))
  Move-IntoPlace $part $Scoop.Config
  if ($Key -ne '') { Write-Done "Scoop: the key is in $($Scoop.Config) (private_hosts), readable" }
  else { Write-Done "Scoop: the key is out of $($Scoop.Config)" }
}

# Scoop keeps the key readable, so that the file must be for this user alone. A file that is there keeps its permissions.
function Assert-Private([string[]] $Files) {
  $readers = @($Files | Where-Object { Test-Path -LiteralPath $_ } | ForEach-Object { Get-Others $_ $reads (Get-Me) } | Select-Object -Unique)
  if ($readers.Count -eq 0) { return }
  [IO.File]::Delete($Files[0])
  throw "The key is not written to $($Scoop.Config): $($readers -join ', ') can read what is there. Leave that file and its folder to this user alone, then run this again."
}

function Get-GitCredentialLines {
  $uri = New-Object System.Uri -ArgumentList $BaseUrl
  return @("protocol=$($uri.Scheme)", "host=$($uri.Authority)", "username=$Name")
}

function Set-GitCredential([string] $Key) {
  $git = Get-Git
  if (-not $PSCmdlet.ShouldProcess("git credential for $BaseUrl", 'store')) { return }
  if (@(Invoke-Program $git @('config', '--get-all', 'credential.helper') @(0, 1)).Count -eq 0) {
    Write-Warning 'git has no credential helper, so that it will ask for the key: git config --global credential.helper manager'
  }
  [void](Invoke-Program $git @('credential', 'approve') @(0) ((Get-GitCredentialLines) + "password=$Key"))
  Write-Done "git: the key for $BaseUrl is in git's credential helper"
}

# Whatever the server asks for today: the key may be of a time when it asked for more. Only the one that was stored under our name.
function Remove-GitCredential {
  $git = Find-Git
  if ($null -eq $git -or -not $PSCmdlet.ShouldProcess("git credential of $Name for $BaseUrl", 'forget')) { return }
  [void](Invoke-Program $git @('credential', 'reject') @(0) (Get-GitCredentialLines))
  Write-Done "git: a key for $BaseUrl is forgotten, if there was one"
}

function Get-BucketUrl([string] $Git) {
  if (-not (Test-Path -LiteralPath $Scoop.Bucket)) { return '' }
  return "$(Invoke-Program $Git @('-C', $Scoop.Bucket, 'config', '--get', 'remote.origin.url') @(0, 1))"
}

function Set-ScoopBucket {
  $git = Get-Git
  $wanted = $MainBucketUrl
  if ($Beta) { $wanted = $BetaBucketUrl }
  if ((Get-BucketUrl $git) -eq $wanted) { Write-Done "Scoop: bucket $Name was there already"; return }
  if (-not $PSCmdlet.ShouldProcess("Scoop bucket $Name", "add $wanted")) { return }
  # Asked first, so that a channel is never left for one that cannot be reached.
  [void](Invoke-Program $git @('ls-remote', '--exit-code', $wanted, 'HEAD'))
  # The name stays: installed apps follow it to the other channel.
  if (Test-Path -LiteralPath $Scoop.Bucket) { Invoke-Scoop @('bucket', 'rm', $Name) }
  Invoke-Scoop @('bucket', 'add', $Name, $wanted)
  # Scoop's own exit code is 0 whatever happened (bin/scoop.ps1).
  if ((Get-BucketUrl $git) -ne $wanted) { throw "Scoop did not add the bucket; try: scoop bucket add $Name $wanted" }
  Write-Done "Scoop: bucket $Name is $wanted; install with the prefix, scoop install $Name/TOOL"
}

function Install-Scoop([string] $Key) {
  Assert-Scoop
  if ($Key -ne '') {
    Set-PrivateHost $Key
    Set-GitCredential $Key
    if ((Test-Path -LiteralPath (Join-Path $Scoop.Root 'apps\aria2')) -and (Read-ScoopConfig $Scoop.Config).'aria2-enabled' -ne $false) {
      Write-Warning 'Scoop downloads with aria2, which sends no key: scoop config aria2-enabled false'
    }
  }
  Set-ScoopBucket
}

function Remove-Scoop {
  Assert-Scoop
  if ((Test-Path -LiteralPath (Join-Path $Scoop.Root "apps\$ShimsPackage")) -and $PSCmdlet.ShouldProcess("Scoop app $ShimsPackage", 'uninstall')) {
    Invoke-Scoop @('uninstall', $ShimsPackage)
    Write-Done "Scoop: $ShimsPackage is uninstalled"
  }
  if ((Test-Path -LiteralPath $Scoop.Bucket) -and $PSCmdlet.ShouldProcess("Scoop bucket $Name", 'remove')) {
    Invoke-Scoop @('bucket', 'rm', $Name)
    Write-Done "Scoop: bucket $Name is removed"
  }
  Set-PrivateHost ''
}
