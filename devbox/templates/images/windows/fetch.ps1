<#
.SYNOPSIS
Downloads a file whose SHA-256 is known. A file with other bytes is deleted, and ends the build.
.NOTES
For Windows PowerShell 5.1, which is what Server Core has.
#>
param(
  [Parameter(Mandatory)] [string] $Url,
  [Parameter(Mandatory)] [string] $Sha256,
  [Parameter(Mandatory)] [string] $To
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
# Drawing it takes longer than downloading does.
$ProgressPreference = 'SilentlyContinue'

if ($Sha256 -notmatch '\A[0-9a-fA-F]{64}\z') {
  throw "fetch: $Url needs a SHA-256 of 64 hex digits, found '$Sha256'. Write it into the declaration."
}
$folder = [IO.Path]::GetDirectoryName([IO.Path]::GetFullPath($To))
[void][IO.Directory]::CreateDirectory($folder)
# Under another name until it is known to be right.
$part = "$To.part"
try {
  Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $part
  $found = (Get-FileHash -LiteralPath $part -Algorithm SHA256).Hash
  if ($found -ne $Sha256) {
    throw "fetch: $Url has the SHA-256 $($found.ToLowerInvariant()), expected $($Sha256.ToLowerInvariant()). Compare both with the publisher's."
  }
  Move-Item -LiteralPath $part -Destination $To -Force
}
finally {
  if (Test-Path -LiteralPath $part) { Remove-Item -LiteralPath $part }
}
Write-Output "$To  SHA-256 $($Sha256.ToLowerInvariant())"
