# Points the Chocolatey and the Scoop of this machine at one go-win-tools server; -Remove takes all of it back.
# It can run again and again: what is there already stays. -WhatIf tells what it would do.
# For Windows PowerShell 5.1 and PowerShell 7.4 or newer. A key is never written on a command line.
[CmdletBinding(SupportsShouldProcess)]
param(
  # Scoop gets the bucket of the testers, and the shims come as a prerelease.
  [switch] $Beta,
  # Switches Chocolatey's community source off, where versions of the same ids would win.
  [switch] $DisableCommunity,
  # Installs the package go-win-shims and puts its folder first in PATH.
  [switch] $Shims,
  # A folder of shims that is there already (`pnpm shims --out`), instead of the package.
  [string] $ShimsDir = '',
  # The key for reading, in a file; else GO_WIN_TOOLS_KEY, else it is asked for.
  [string] $KeyFile = '',
  [switch] $Remove
)
$ErrorActionPreference = 'Stop'
# As text run in a session, it would have that session's mode, in which a setting that is not there is an error.
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
$Failures = New-Object System.Collections.ArrayList
