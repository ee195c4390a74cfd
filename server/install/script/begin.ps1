<#
.SYNOPSIS
Points the Chocolatey and the Scoop of this machine at one go-win-tools server; -Remove takes all of it back.
.DESCRIPTION
It can run again and again: what is as it should be stays. It works as a file, by `irm URL | iex`, and as
`& ([scriptblock]::Create((irm URL))) -WhatIf`, in Windows PowerShell 5.1 and PowerShell 7.4 or newer.
Exit codes: 0 done; 1 a part failed, the others are done; 2 usage, nothing was changed; 3 the feed is out of reach, refuses the key, or
needs one that nobody gave: only parts that need none were changed; 4 needs an administrator, nothing was changed.
#>
[CmdletBinding(SupportsShouldProcess = $true, PositionalBinding = $false)]
param(
  # chocolatey, scoop, or all: whichever is installed.
  [string] $Part = 'all',
  # Scoop gets the bucket of the testers, and the shims come as a prerelease.
  [switch] $Beta,
  # Installs the package go-win-shims and puts its folder first in PATH.
  [switch] $Shims,
  # An existing folder of shims (`pnpm shims --out`), instead of the package.
  [string] $ShimsDir = '',
  # Switches Chocolatey's community source off, where versions of the same ids would win.
  [switch] $DisableCommunity,
  # The key for reading, in a file; else GO_WIN_TOOLS_KEY, else it is asked for.
  [string] $KeyFile = '',
  # The addresses of this one client instead of the ones that all share; without effect on a run with -Beta.
  [string] $ClientId = '',
  # Takes all of it back; installed tools stay.
  [switch] $Remove,
  # Changes nothing; exit code 0 when all is as a run would leave it, else 1.
  [switch] $Check,
  # Asks nothing, also where somebody could answer.
  [switch] $NonInteractive,
  # What is said is appended to this file, too.
  [string] $LogFile = '',
  [Parameter(ValueFromRemainingArguments = $true)] [object[]] $Rest
)
# All in a scope of its own: a session that runs this as text keeps nothing of it but the exit code.
$global:LASTEXITCODE = [int](& {
$Confirms = $ConfirmPreference -eq 'Low'
$ErrorActionPreference = 'Stop'
$WarningPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
$PSDefaultParameterValues = @{}
$OFS = ' '
# The session's mode, in which a setting that does not exist is an error, would hold here as well.
Set-StrictMode -Off
# What a program's exit code means is decided below.
$PSNativeCommandUseErrorActionPreference = $false

# Filled in by the server.
$BaseUrl = '{{PUBLIC_URL}}'
$FeedUrl = '{{FEED_URL}}'
$MainBucketUrl = '{{MAIN_BUCKET_URL}}'
$BetaBucketUrl = '{{BETA_BUCKET_URL}}'
# Which reading needs a key: none, feed or all.
$ReadAuth = '{{READ_AUTH}}'

$Name = 'go-win-tools'
$ShimsPackage = 'go-win-shims'
# The product's own, which other sources may offer as well.
$Tools = @('buf', 'delve', 'goreleaser')
# Seconds for one answer of the server.
$Patience = 30
# The key, once it is known.
$Given = @{ Key = '' }
