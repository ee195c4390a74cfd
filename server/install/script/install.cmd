@echo off
rem Runs the install.ps1 that this file was made with, and no other, with the same arguments. It is never a file: who runs this
rem may be an administrator or SYSTEM, and the folders for temporary files are open to all. What was checked in memory is run.
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of that name would hide the exit code.
set "ERRORLEVEL="
rem Started from PowerShell 7 it names modules that Windows PowerShell cannot load; each makes its own.
set "PSModulePath="
set "GO_WIN_TOOLS_URL={{SCRIPT_URL}}"
set "GO_WIN_TOOLS_SHA256={{SCRIPT_SHA256}}"
rem By their whole paths: a folder of PATH may be open to others.
rem To a 32-bit cmd, System32 is another folder, and Sysnative the real one.
set "GO_WIN_TOOLS_SHELL=%SystemRoot%\Sysnative\WindowsPowerShell\v1.0\powershell.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto run
set "GO_WIN_TOOLS_SHELL=%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto run
set "GO_WIN_TOOLS_SHELL=%ProgramFiles%\PowerShell\7\pwsh.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto run
echo Neither Windows PowerShell nor PowerShell 7 (%GO_WIN_TOOLS_SHELL%) is on this machine. 1>&2
exit /b 1

:run
rem To PowerShell the arguments are the rest of a comment. It takes them from its own command line, after the six words up to the
rem comment, and each but a name of a parameter becomes a text in quotes, so that none of them is code.
"%GO_WIN_TOOLS_SHELL%" -NoProfile -ExecutionPolicy Bypass -Command "$ErrorActionPreference = 'Stop'; try { [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 3072; $bytes = (New-Object Net.WebClient).DownloadData($env:GO_WIN_TOOLS_URL); if ((Get-FileHash -Algorithm SHA256 -InputStream ([IO.MemoryStream]$bytes)).Hash -ne $env:GO_WIN_TOOLS_SHA256) { throw 'It is not the one that this install.cmd was made with: download install.cmd again.' } } catch { [Console]::Error.WriteLine('install.ps1 could not be had. ' + $_.Exception.Message); exit 3 }; $ErrorActionPreference = 'Continue'; $call = '& $args[0]'; [Environment]::GetCommandLineArgs() | Select-Object -Skip 6 | ForEach-Object { if ($_ -match '\A(-[A-Za-z]+)(:\$(true|false))?\z') { $call += ' ' + $_ } else { $name = ''; $value = $_; if ($_ -match '\A(-[A-Za-z]+:)(.+)\z') { $name = $Matches[1]; $value = $Matches[2] }; $call += ' ' + $name + [char]39 + [Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value) + [char]39 } }; try { & ([scriptblock]::Create($call)) ([scriptblock]::Create([Text.Encoding]::UTF8.GetString($bytes))); exit $LASTEXITCODE } catch [Management.Automation.ParameterBindingException] { [Console]::Error.WriteLine('install.cmd: ' + $_.Exception.Message); exit 2 } catch { if ($LASTEXITCODE) { exit $LASTEXITCODE }; [Console]::Error.WriteLine('install.cmd: ' + $_.Exception.Message); exit 1 } #" %*
exit /b %ERRORLEVEL%
