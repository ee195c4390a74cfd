<#
.SYNOPSIS
Downloads every tool of devbox.lock.json into a folder, each by its SHA-256.
.NOTES
For Windows PowerShell 5.1, which is what Server Core has.
#>
param(
  [Parameter(Mandatory)] [string] $Lock,
  [Parameter(Mandatory)] [string] $To
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$fetch = Join-Path $PSScriptRoot 'fetch.ps1'
$content = ConvertFrom-Json ([IO.File]::ReadAllText([IO.Path]::GetFullPath($Lock)))
if ($content.version -ne 1) { throw "tools: $Lock has the version '$($content.version)', expected 1. Run devbox:create of this product again." }
foreach ($property in $content.tools.PSObject.Properties) {
  $tool = $property.Value
  $file = "$($property.Name).exe"
  if ($null -ne $tool.PSObject.Properties['file']) { $file = $tool.file }
  if ($file -notmatch '\A[A-Za-z0-9][A-Za-z0-9._-]*\.exe\z') { throw "tools: '$file' of $($property.Name) is no plain name of an exe" }
  & $fetch -Url $tool.url -Sha256 $tool.sha256 -To (Join-Path $To $file)
}
