<#
.SYNOPSIS
Puts folders first in PATH: of the machine, so that every process of the image has them.
.DESCRIPTION
Not by ENV: the base has its PATH in the registry, and ENV would replace it by what Docker knows of it, which is nothing.
.NOTES
For Windows PowerShell 5.1, which is what Server Core has.
#>
param(
  [Parameter(Mandatory)] [string[]] $First,
  [ValidateSet('Machine', 'Process')] [string] $Scope = 'Machine'
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

# `powershell -File` gives an array as one text.
$folders = @($First | ForEach-Object { $_ -split ',' } | Where-Object { $_ -ne '' })
foreach ($folder in $folders) {
  if ($folder -match ';') { throw "path: a folder in PATH cannot have a semicolon: $folder" }
}
$before = [Environment]::GetEnvironmentVariable('PATH', $Scope)
$rest = @("$before" -split ';' | Where-Object { $_ -ne '' -and $folders -notcontains $_.TrimEnd('\') })
$after = ($folders + $rest) -join ';'
[Environment]::SetEnvironmentVariable('PATH', $after, $Scope)
Write-Output $after
