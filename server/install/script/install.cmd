@echo off
rem Runs exactly the install.ps1 that this file was made for, with the same arguments. It is never saved to a file: this may run
rem as administrator or SYSTEM, and folders for temporary files are open to all. The bytes that were checked in memory are run.
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of that name would hide the exit code.
set "ERRORLEVEL="
rem If started from PowerShell 7 it names modules that Windows PowerShell cannot load; each sets its own.
set "PSModulePath="
set "GO_WIN_TOOLS_URL={{SCRIPT_URL}}"
set "GO_WIN_TOOLS_SHA256={{SCRIPT_SHA256}}"
rem By whole paths, since a folder in PATH may be writable by others. For a 32-bit cmd, System32 is another folder, and Sysnative
rem the real one.
set "GO_WIN_TOOLS_SHELL=%SystemRoot%\Sysnative\WindowsPowerShell\v1.0\powershell.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto run
set "GO_WIN_TOOLS_SHELL=%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto run
set "GO_WIN_TOOLS_SHELL=%ProgramFiles%\PowerShell\7\pwsh.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto run
echo Neither Windows PowerShell nor PowerShell 7 (%GO_WIN_TOOLS_SHELL%) is installed on this machine. 1>&2
exit /b 1

:run
rem For PowerShell the arguments are part of a comment. It reads them from its own command line, after the six words before the
rem comment. Everything but the name of a parameter becomes a quoted text, so that nothing is run as code.
"%GO_WIN_TOOLS_SHELL%" -NoProfile -ExecutionPolicy Bypass -Command "$ErrorActionPreference = 'Stop'; try { [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 3072; $bytes = (New-Object Net.WebClient).DownloadData($env:GO_WIN_TOOLS_URL); if ((Get-FileHash -Algorithm SHA256 -InputStream ([IO.MemoryStream]$bytes)).Hash -ne $env:GO_WIN_TOOLS_SHA256) { throw 'It does not match this install.cmd: download install.cmd again.' } } catch { [Console]::Error.WriteLine('install.ps1 could not be downloaded. ' + $_.Exception.Message); exit 3 }; $ErrorActionPreference = 'Continue'; $call = '& $args[0]'; [Environment]::GetCommandLineArgs() | Select-Object -Skip 6 | ForEach-Object { if ($_ -match '\A(-[A-Za-z]+)(:\$(true|false))?\z') { $call += ' ' + $_ } else { $name = ''; $value = $_; if ($_ -match '\A(-[A-Za-z]+:)(.+)\z') { $name = $Matches[1]; $value = $Matches[2] }; $call += ' ' + $name + [char]39 + [Management.Automation.Language.CodeGeneration]::EscapeSingleQuotedStringContent($value) + [char]39 } }; try { & ([scriptblock]::Create($call)) ([scriptblock]::Create([Text.Encoding]::UTF8.GetString($bytes))); exit $LASTEXITCODE } catch [Management.Automation.ParameterBindingException] { [Console]::Error.WriteLine('install.cmd: ' + $_.Exception.Message); exit 2 } catch { if ($LASTEXITCODE) { exit $LASTEXITCODE }; [Console]::Error.WriteLine('install.cmd: ' + $_.Exception.Message); exit 1 } #" %*
exit /b %ERRORLEVEL%
