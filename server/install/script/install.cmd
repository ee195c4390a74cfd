@echo off
rem Downloads the install.ps1 that this file was made with, and runs it with the same arguments.
setlocal EnableExtensions DisableDelayedExpansion
rem A variable of that name would hide the exit codes, and with them that the digest is another one.
set "ERRORLEVEL="
rem Started from PowerShell 7 it names modules that Windows PowerShell cannot load; each makes its own.
set "PSModulePath="
set "GO_WIN_TOOLS_URL={{SCRIPT_URL}}"
set "GO_WIN_TOOLS_SHA256={{SCRIPT_SHA256}}"
set "GO_WIN_TOOLS_FILE=%TEMP%\go-win-tools-install-%RANDOM%%RANDOM%.ps1"
set "GO_WIN_TOOLS_SHELL=%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe"
if exist "%GO_WIN_TOOLS_SHELL%" goto download
set "GO_WIN_TOOLS_SHELL="
for %%I in (pwsh.exe) do set "GO_WIN_TOOLS_SHELL=%%~$PATH:I"
if defined GO_WIN_TOOLS_SHELL goto download
echo Neither Windows PowerShell nor PowerShell 7 (pwsh.exe) is on this machine. 1>&2
exit /b 1

:download
"%GO_WIN_TOOLS_SHELL%" -NoProfile -ExecutionPolicy Bypass -Command "$ErrorActionPreference = 'Stop'; [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor 3072; (New-Object Net.WebClient).DownloadFile($env:GO_WIN_TOOLS_URL, $env:GO_WIN_TOOLS_FILE); if ((Get-FileHash -Algorithm SHA256 -LiteralPath $env:GO_WIN_TOOLS_FILE).Hash -ne $env:GO_WIN_TOOLS_SHA256) { throw 'install.ps1 is not the one that this install.cmd was made with: download install.cmd again.' }"
if not "%ERRORLEVEL%"=="0" goto failed
"%GO_WIN_TOOLS_SHELL%" -NoProfile -ExecutionPolicy Bypass -File "%GO_WIN_TOOLS_FILE%" %*
set "GO_WIN_TOOLS_CODE=%ERRORLEVEL%"
del "%GO_WIN_TOOLS_FILE%" 2>NUL
exit /b %GO_WIN_TOOLS_CODE%

:failed
del "%GO_WIN_TOOLS_FILE%" 2>NUL
echo install.ps1 could not be had. 1>&2
exit /b 1
