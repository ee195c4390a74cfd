<#
.SYNOPSIS
Runs the installer of the Visual C++ runtime without a window, and judges its exit code.
.NOTES
For Windows PowerShell 5.1, which is what Server Core has.
#>
param([Parameter(Mandatory)] [string] $Installer)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

# It returns before it has done its work, unless somebody waits.
$process = Start-Process -FilePath $Installer -ArgumentList '/install', '/quiet', '/norestart' -Wait -PassThru
# 1638: a newer one is installed. 3010: done; a machine would want a restart, an image has none.
if (@(0, 1638, 3010) -notcontains $process.ExitCode) {
  throw "vc-runtime: $Installer ended with $($process.ExitCode). Its log is in %TEMP%, named dd_vcredist_*.log"
}
Write-Output "$Installer ended with $($process.ExitCode)"
