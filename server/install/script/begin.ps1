<#
.SYNOPSIS
Points the Chocolatey and the Scoop of this machine at one go-win-tools server; -Remove undoes everything.
.DESCRIPTION
It can run again and again: what is already set up stays unchanged. It works as a file, by `irm URL | iex`, and as
`& ([scriptblock]::Create((irm URL))) -WhatIf`, in Windows PowerShell 5.1 and PowerShell 7.4 or newer.
Exit codes: 0 done; 1 a part failed, the others are done; 2 usage, nothing was changed; 3 the feed cannot be reached, refuses the key, or
needs one that nobody gave: only parts that need none were changed; 4 needs an administrator, nothing was changed.
#>
[CmdletBinding(SupportsShouldProcess = $true, PositionalBinding = $false)]
param(
  # chocolatey, scoop, or all: whichever is installed.
  [string] $Part = 'all',
  # Scoop gets the testers' bucket, and the shims are installed as a prerelease.
  [switch] $Beta,
  # Installs the package go-win-shims and puts its folder first in PATH.
  [switch] $Shims,
  # An existing folder of shims (`pnpm shims --out`), instead of the package.
  [string] $ShimsDir = '',
  # Switches Chocolatey's community source off, whose versions of the same ids would win.
  [switch] $DisableCommunity,
  # A file with the key for reading; otherwise GO_WIN_TOOLS_KEY is used, or the key is asked for.
  [string] $KeyFile = '',
  # The name by which rollouts know this machine; '' or -Beta: the addresses that all clients share.
  [string] $ClientId = $env:COMPUTERNAME,
  # Removes everything again; installed tools stay.
  [switch] $Remove,
  # Changes nothing; exit code 0 if a run would change nothing, else 1.
  [switch] $Check,
  # Never asks, even if somebody could answer.
  [switch] $NonInteractive,
  # Everything that is shown is also appended to this file.
  [string] $LogFile = '',
  [Parameter(ValueFromRemainingArguments = $true)] [object[]] $Rest
)
# Everything runs in its own scope: a session that runs this as text keeps nothing but the exit code.
$global:LASTEXITCODE = [int](& {
$Confirms = $ConfirmPreference -eq 'Low'
$ErrorActionPreference = 'Stop'
$WarningPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
$PSDefaultParameterValues = @{}
$OFS = ' '
# Otherwise the session's strict mode, in which reading a missing setting is an error, would apply here too.
Set-StrictMode -Off
# The code below decides what a program's exit code means.
$PSNativeCommandUseErrorActionPreference = $false

# Filled in by the server.
$BaseUrl = '{{PUBLIC_URL}}'
$FeedUrl = '{{FEED_URL}}'
$MainBucketUrl = '{{MAIN_BUCKET_URL}}'
$BetaBucketUrl = '{{BETA_BUCKET_URL}}'
# What needs a key to be read: none, feed or all.
$ReadAuth = '{{READ_AUTH}}'

$Name = 'go-win-tools'
$ShimsPackage = 'go-win-shims'
# The product's own tools, which other sources may offer as well.
$Tools = @('buf', 'delve', 'goreleaser')
# Seconds to wait for an answer of the server.
$Patience = 30
# The key, once it is known.
$Given = @{ Key = '' }
