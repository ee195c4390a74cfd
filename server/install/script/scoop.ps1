# Scoop: its bucket, and the key for downloads (private_hosts) and for git.

# Where Scoop itself looks: environment, its configuration, the profile (Scoop lib/core.ps1). Scoop is found even if its
# configuration is broken.
function Find-Scoop {
  $profileDir = $env:USERPROFILE
  $configHome = $env:XDG_CONFIG_HOME
  if (-not $configHome -and $profileDir) { $configHome = Join-Path $profileDir '.config' }
  if (-not $configHome) { return $null }
  $config = Join-Path $configHome 'scoop\config.json'
  $root = $env:SCOOP
  if (-not $root) {
    try { $root = Get-ScoopSetting (Read-ScoopConfig $config) 'root_path' }
    catch { $root = $null }
  }
  if (-not $root -and $profileDir) { $root = Join-Path $profileDir 'scoop' }
  if (-not $root) { return $null }
  $main = Join-Path $root 'apps\scoop\current\bin\scoop.ps1'
  if (-not (Test-Path -LiteralPath $main)) { return $null }
  $portable = Join-Path $root 'config.json'
  if (Test-Path -LiteralPath $portable) { $config = $portable }
  return @{
    Root = $root; Script = $main; Config = $config; Buckets = (Join-Path $root 'buckets'); Bucket = (Join-Path $root "buckets\$Name")
    App = (Join-Path $root "apps\$ShimsPackage"); Shims = (Join-Path $root "apps\$ShimsPackage\current")
  }
}

function Assert-Scoop {
  $current = Join-Path $Scoop.Root 'apps\scoop\current'
  Assert-OutOfReach @($Scoop.Root, $current, (Join-Path $current 'bin'), $Scoop.Script, (Join-Path $current 'lib'), $Scoop.Bucket, (Split-Path -Parent $Scoop.Config))
}

# In its own PowerShell and not through cmd, so that addresses arrive unchanged. Scoop's exit code is always 0 (bin/scoop.ps1), so
# the result is checked afterwards.
function Invoke-Scoop([string[]] $Arguments) {
  Assert-Scoop
  $shells = 'powershell.exe', 'pwsh.exe', 'pwsh' | ForEach-Object { Join-Path $PSHOME $_ }
  $shell = $shells | Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
  [void](Invoke-Program $shell (@('-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File', $Scoop.Script) + $Arguments))
}

function Get-RemoteOf([string] $Bucket) {
  $file = Join-Path $Bucket '.git\config'
  if (-not (Find-Git) -or -not (Test-Path -LiteralPath $file)) { return '' }
  return "$(Invoke-Git @('config', '--file', $file, '--get', 'remote.origin.url') @(0, 1))"
}

# How Scoop distinguishes buckets: without scheme and port (Scoop lib/buckets.ps1 Convert-RepositoryUri).
function Get-BucketIdentity([string] $Url) {
  if ($Url -match '(?:@|/{1,3})(?:www\.|.*@)?(?<provider>[^/]+?)(?::\d+)?[:/](?<user>.+)/(?<repo>.+?)(?:\.git)?/?$') { return $Matches.provider, $Matches.user, $Matches.repo -join '/' }
  return ''
}

# Scoop adds no bucket twice, even under another name.
function Assert-NoOtherName {
  $identity = Get-BucketIdentity $BucketUrl
  foreach ($dir in @(Get-ChildItem -LiteralPath $Scoop.Buckets -Directory -ErrorAction SilentlyContinue | Where-Object { $_.Name -ne $Name })) {
    if ((Get-BucketIdentity (Get-RemoteOf $dir.FullName)) -eq $identity) {
      throw "Scoop already has this bucket under the name $($dir.Name), and allows it only once. Run: scoop bucket rm $($dir.Name), then this again."
    }
  }
}

function Set-Bucket {
  Assert-Scoop
  Assert-NoOtherName
  # Checked first, so that a channel is never left for one that cannot be reached.
  [void](Invoke-Git @('ls-remote', '--exit-code', $BucketUrl, 'HEAD'))
  # The name stays the same, so that installed apps follow it to the other channel.
  if (Test-Path -LiteralPath $Scoop.Bucket) { Remove-Bucket }
  Invoke-Scoop @('bucket', 'add', $Name, $BucketUrl)
}

function Remove-Bucket {
  Invoke-Scoop @('bucket', 'rm', $Name)
  if (Test-Path -LiteralPath $Scoop.Bucket) { throw "Scoop could not remove $($Scoop.Bucket): close the programs that use it, then run this again." }
}

# The addresses that this server has had for this machine, from the bucket and the source: keys are stored by address.
function Get-KnownBases {
  $urls = @()
  if ($null -ne $Scoop) { $urls += Get-RemoteOf $Scoop.Bucket }
  if ($null -ne $Choco) {
    try { $urls += "$((Get-OwnChocoSource).Value)" }
    catch { Write-Log $_.Exception.Message }
  }
  $bases = @($BaseUrl)
  foreach ($url in $urls) {
    if ($url -match "\A(?<scheme>https?://)(?:[^/\s]*@)?(?<host>[^\s]+?)/(?:git/(?:main|beta|c/[^/]+)/$Name(?:\.git)?|nuget(?:/c/[^/]+)?|api/v2(?:/c/[^/]+)?|v3(?:/c/[^/]+)?/index\.json)/?\z") { $bases += $Matches.scheme + $Matches.host }
  }
  return @($bases | Select-Object -Unique)
}

function Get-ScoopTasks {
  if (Test-BucketNeedsKey) {
    New-Task "the key is in git's credential helper" {
      $stored = Get-GitKey $BucketUrl
      $stored -ne '' -and ($Given.Key -eq '' -or $stored -ceq $Given.Key)
    } { Assert-Scoop; Set-GitKey $BucketUrl }
  }
  if ($ReadAuth -eq 'all') {
    New-Task "the key is in $($Scoop.Config) (private_hosts), readable" {
      $headers = @(Get-PrivateHeaders $BaseUrl)
      $headers.Count -eq 1 -and $headers[0] -clike 'X-NuGet-ApiKey=?*' -and ($Given.Key -eq '' -or $headers[0] -ceq "X-NuGet-ApiKey=$($Given.Key)")
    } { Assert-Scoop; Set-PrivateKey $BaseUrl $Given.Key }
  }
  if ($ReadAuth -eq 'feed') {
    New-Task "no key for $BaseUrl is in $($Scoop.Config)" { @(Get-PrivateHeaders $BaseUrl).Count -eq 0 } { Assert-Scoop; Set-PrivateKey $BaseUrl '' }
    # Back at the bucket for everybody.
    if (-not (Test-BucketNeedsKey)) {
      New-Task "no key for $BaseUrl is in git's credential helper" { -not (Find-Git) -or (Test-NoGitKey (Get-BucketUrls $BaseUrl)) } { Assert-Scoop; Clear-GitKey (Get-BucketUrls $BaseUrl) }
    }
  }
  foreach ($base in @(Get-KnownBases | Where-Object { $ReadAuth -eq 'none' -or $_ -ne $BaseUrl })) {
    New-Task "no key for $base is left with Scoop and git" { param($Base) @(Get-PrivateHeaders $Base).Count -eq 0 } {
      param($Base)
      Assert-Scoop
      Clear-GitKey (Get-BucketUrls $Base)
      Set-PrivateKey $Base ''
    } $base
  }
  New-Task "bucket $Name is $BucketUrl" { (Get-RemoteOf $Scoop.Bucket) -eq $BucketUrl } { Set-Bucket }
}

# Independent of what the server requires today: the key may be from a time when it required more.
function Get-ScoopRemoval {
  $bases = @(Get-KnownBases)
  # Before the bucket, whose address says where a key may be.
  if (Find-Git) {
    foreach ($base in $bases) { New-Task "no key for $base is in git's credential helper" { param($Base) Test-NoGitKey (Get-BucketUrls $Base) } { param($Base) Clear-GitKey (Get-BucketUrls $Base) } $base }
  }
  if ($null -eq $Scoop) { return }
  New-Task "app $ShimsPackage is uninstalled" { -not (Test-Path -LiteralPath $Scoop.App) } { Invoke-Scoop @('uninstall', $ShimsPackage) }
  New-Task "bucket $Name is removed" { -not (Test-Path -LiteralPath $Scoop.Bucket) } { Remove-Bucket }
  foreach ($base in $bases) { New-Task "no key for $base is in $($Scoop.Config)" { param($Base) @(Get-PrivateHeaders $Base).Count -eq 0 } { param($Base) Assert-Scoop; Set-PrivateKey $Base '' } $base }
}

function Show-ScoopNotes {
  if ($ReadAuth -eq 'all' -and (Test-Path -LiteralPath (Join-Path $Scoop.Root 'apps\aria2')) -and (Get-ScoopSetting (Read-ScoopConfig $Scoop.Config) 'aria2-enabled') -ne $false) {
    Write-Note 'Scoop downloads with aria2, which sends no key: scoop config aria2-enabled false'
  }
  if (-not (Test-Path -LiteralPath (Join-Path $Scoop.Buckets 'main\.git'))) {
    Write-Note 'Scoop updates no bucket while its own bucket main is missing: scoop bucket add main'
  }
}
