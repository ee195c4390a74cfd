# git: stores the bucket's key in its credential helper.

# Under READ_AUTH=feed only the bucket of one client needs a key.
function Test-BucketNeedsKey { return $ReadAuth -eq 'all' -or ($ReadAuth -eq 'feed' -and $MainBucketUrl, $BetaBucketUrl -notcontains $BucketUrl) }

# Scoop prefers its own git over the one in PATH (Scoop lib/core.ps1 Get-HelperPath).
function Find-Git {
  if ($null -ne $Scoop) {
    foreach ($bits in 'mingw64', 'mingw32') {
      $own = Join-Path $Scoop.Root "apps\git\current\$bits\bin\git.exe"
      if (Test-Path -LiteralPath $own) { return $own }
    }
  }
  $names = @('git.exe')
  if (-not (Test-Windows)) { $names = @('git') }
  return Get-Command $names -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1 | ForEach-Object { $_.Path }
}

# Not in the current folder, which may have its own git configuration.
function Invoke-Git([string[]] $Arguments, [int[]] $Allow = @(0), [string[]] $InputLines = @()) {
  $git = Find-Git
  if (-not $git) { throw 'Scoop needs git for buckets: scoop install git' }
  return Invoke-Program $git (@('-C', (Split-Path -Parent $git)) + $Arguments) $Allow $InputLines
}

# With the bucket's address: git itself drops the path, unless credential.useHttpPath is set.
function Get-CredentialLines([string] $Url) { return @("url=$Url", "username=$Name") }

# The key that git would send without asking; '' if it has none.
function Get-GitKey([string] $Url) {
  $line = Invoke-Git @('credential', 'fill') @(0, 128) (Get-CredentialLines $Url) | Where-Object { $_ -clike 'password=*' } | Select-Object -First 1
  if ($line) { return $line.Substring('password='.Length) }
  return ''
}

function Set-GitKey([string] $Url) {
  [void](Invoke-Git @('credential', 'approve') @(0) ((Get-CredentialLines $Url) + "password=$($Given.Key)"))
  if ((Get-GitKey $Url) -ceq $Given.Key) { return }
  if (@(Invoke-Git @('config', '--get-all', 'credential.helper') @(0, 1)).Count -eq 0) {
    throw 'git has no credential helper to store the key. Run: git config --global credential.helper manager (it comes with Git for Windows), then run this again.'
  }
  throw "git's credential helper does not return the key for ${BaseUrl}: Git Credential Manager stores none for plain http (use https), and none for a user without a profile. See: git config --get-all credential.helper"
}

# Only what was stored under our name, for each address that one of our buckets may have.
function Get-BucketUrls([string] $Base) {
  $urls = @("$Base/git/main/$Name.git", "$Base/git/beta/$Name.git")
  if ($null -ne $Scoop) { $urls += @(Get-RemoteOf $Scoop.Bucket | Where-Object { $_.StartsWith("$Base/") }) }
  return @($urls | Select-Object -Unique)
}

function Clear-GitKey([string[]] $Urls) {
  foreach ($url in $Urls) { [void](Invoke-Git @('credential', 'reject') @(0) (Get-CredentialLines $url)) }
}

function Test-NoGitKey([string[]] $Urls) { return @($Urls | Where-Object { (Get-GitKey $_) -ne '' }).Count -eq 0 }
