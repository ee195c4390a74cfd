# git: the key in its credential helper, for the bucket.

# Scoop takes its own before the one of PATH (Scoop lib/core.ps1 Get-HelperPath).
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

# Not in the folder where this runs, which may have a git configuration of its own.
function Invoke-Git([string[]] $Arguments, [int[]] $Allow = @(0), [string[]] $InputLines = @()) {
  $git = Find-Git
  if (-not $git) { throw 'Scoop needs git for buckets: scoop install git' }
  return Invoke-Program $git (@('-C', (Split-Path -Parent $git)) + $Arguments) $Allow $InputLines
}

# With the address of the bucket: git itself leaves its path out, unless credential.useHttpPath is set.
function Get-CredentialLines([string] $Url) { return @("url=$Url", "username=$Name") }

# What git would send, without a question; '' when it has nothing.
function Get-GitKey([string] $Url) {
  $line = Invoke-Git @('credential', 'fill') @(0, 128) (Get-CredentialLines $Url) | Where-Object { $_ -clike 'password=*' } | Select-Object -First 1
  if ($line) { return $line.Substring('password='.Length) }
  return ''
}

function Set-GitKey([string] $Url) {
  [void](Invoke-Git @('credential', 'approve') @(0) ((Get-CredentialLines $Url) + "password=$($Given.Key)"))
  if ((Get-GitKey $Url) -ceq $Given.Key) { return }
  if (@(Invoke-Git @('config', '--get-all', 'credential.helper') @(0, 1)).Count -eq 0) {
    throw 'git has no credential helper that would keep the key: git config --global credential.helper manager (it comes with Git for Windows), then run this again.'
  }
  throw "git's credential helper does not give back the key for ${BaseUrl}: Git Credential Manager keeps none for plain http (use https), and none for a user without a profile. See: git config --get-all credential.helper"
}

# Only what was stored under our name, for each address that a bucket of ours may have.
function Get-BucketUrls([string] $Base) {
  $urls = @("$Base/git/main/$Name.git", "$Base/git/beta/$Name.git")
  if ($null -ne $Scoop) { $urls += @(Get-RemoteOf $Scoop.Bucket | Where-Object { $_.StartsWith("$Base/") }) }
  return @($urls | Select-Object -Unique)
}

function Clear-GitKey([string[]] $Urls) {
  foreach ($url in $Urls) { [void](Invoke-Git @('credential', 'reject') @(0) (Get-CredentialLines $url)) }
}

function Test-NoGitKey([string[]] $Urls) { return @($Urls | Where-Object { (Get-GitKey $_) -ne '' }).Count -eq 0 }
