@echo off
rem PATH-priority shim of go-win-tools: decides between the Chocolatey and the Scoop install of a tool.
rem Made from a policy; make it again instead of changing it. GO_WIN_TOOLS_EXPLAIN=1 tells what it sees.
rem The first setlocal is the child's environment, the second one, which ends before it starts, that of the decision.
setlocal EnableExtensions DisableDelayedExpansion
if not defined GO_WIN_TOOLS_DEPTH set "GO_WIN_TOOLS_DEPTH=0"
set /a "GO_WIN_TOOLS_DEPTH+=1" >nul
setlocal
rem SETTINGS
set "pinned="
if defined pin set "pinned= %pin%"
if %GO_WIN_TOOLS_DEPTH% GTR 64 (
  >&2 echo %tool%: shims have called each other 64 times; something leads in circles.
  exit /b 126
)
set "here=%~dp0"
set "self=%~f0"
set "kept=%PATH%"
if "%GO_WIN_TOOLS_BYPASS%"=="1" goto bypass

rem Where the managers are: the environment, then Scoop's configuration, then the defaults.
set "user=%SCOOP%"
set "global=%SCOOP_GLOBAL%"
set "settings=%USERPROFILE%\.config"
if defined XDG_CONFIG_HOME set "settings=%XDG_CONFIG_HOME%"
if not defined user call :json "%settings%\scoop\config.json" root_path user
if not defined global call :json "%settings%\scoop\config.json" global_path global
if not defined user set "user=%USERPROFILE%\scoop"
if not defined global set "global=%ProgramData%\scoop"
set "choco=%ChocolateyInstall%"
if not defined choco set "choco=%ProgramData%\chocolatey"

set "taken="
set "home_taken="
set "shared_taken="
set "best="
set "seen="
set "why=it is not installed"
set "code=127"
if "%GO_WIN_TOOLS_EXPLAIN%"=="1" >&2 echo %tool%: prefer %prefer%%pinned%, sandbox %sandbox%

set "from=scoop"
set "root=%user%"
goto scoop
:scoop_global
if /i "%user%"=="%global%" goto choco
set "from=scoop-global"
set "root=%global%"
goto scoop

:scoop
set "manager=scoop"
set "home=%root%\apps\%app%"
set "shared=%root%\shims"
set "at=%home%\current"
set "version="
rem With Scoop's no_junction there is no current: the newest folder is what it runs.
if not exist "%at%\%exe%" for /d %%D in ("%home%\*") do if exist "%%~fD\%exe%" call :newest "%%~nxD"
if defined version set "at=%home%\%version%"
set "version="
set "file=%at%\%exe%"
if exist "%file%" call :json "%at%\scoop-manifest.json" version version
if exist "%file%" if not defined version call :json "%at%\manifest.json" version version
set "next=scoop_global"
if "%from%"=="scoop-global" set "next=choco"
goto consider

:choco
set "from=choco"
set "manager=choco"
set "home=%choco%\lib\%package%"
set "shared=%choco%\bin"
set "file=%home%\tools\%exe%"
set "version="
if exist "%file%" if exist "%home%\%package%.nuspec" call :nuspec "%home%\%package%.nuspec"
set "next=known"
goto consider

:known
set "from=path"
set "manager=path"
set "home="
set "shared="
rem KNOWN
goto decided

rem One install: whether it may run, and whether it is the better one.
:consider
set "note="
if exist "%file%" goto there
set "note=not there"
goto noted
:there
set "seen=1"
for %%W in (%deny%) do if not defined note call :denied "%%~W"
for %%F in ("%file%") do set "folder=%%~dpF"
if /i "%folder%"=="%here%" set "note=a shim, not the program itself"
if /i "%folder%"=="%user%\shims\" set "note=a shim, not the program itself"
if /i "%folder%"=="%global%\shims\" set "note=a shim, not the program itself"
if /i "%folder%"=="%choco%\bin\" set "note=a shim, not the program itself"
if defined note if "%code%"=="127" set "why=the policy denies every install that is there"
if defined note set "code=126"
if defined note goto noted
if not "%prefer%"=="pinned" goto not_pinned
if not defined taken set "code=126"
if not defined taken set "why=none is the pinned version %pin%"
call :compare "%version%" "%pin%"
if not "%order%"=="0" goto noted
if not defined version goto noted
if not defined taken set "reason=it is the pinned version %pin%"
if not defined taken goto better
goto noted
:not_pinned
if not "%prefer%"=="newest" goto preferred
set "reason=it is the newest"
if not defined taken goto better
call :compare "%version%" "%best%"
if "%order%"=="1" goto better
goto noted
:preferred
set "reason=nothing of %prefer% is there, and it is the next"
if "%manager%"=="%prefer%" set "reason=%prefer% is preferred"
if not defined taken goto better
if not "%manager%"=="%prefer%" goto noted
if "%manager_taken%"=="%prefer%" goto noted
:better
set "taken=%file%"
set "best=%version%"
set "from_taken=%from%"
set "manager_taken=%manager%"
set "home_taken=%home%"
set "shared_taken=%shared%"
set "why=%reason%"
:noted
if not "%note%"=="not there" if defined home set "home_%from%=%home%"
if not "%note%"=="not there" if defined home set "shared_%from%=%shared%"
set "line=  %from%  %version%  %file%  %note%"
if "%GO_WIN_TOOLS_EXPLAIN%"=="1" for /f "delims=" %%L in ("%line%") do >&2 echo %%L
set "looked_%from%=%file%  %note%"
goto %next%

:decided
if defined taken goto found
if "%GO_WIN_TOOLS_EXPLAIN%"=="1" (
  >&2 echo Nothing is run: %why%.
  exit /b %code%
)
>&2 echo %tool%: %why%. Looked at:
for %%N in (scoop scoop-global choco path) do call :looked %%N
>&2 echo Install it: choco install %package%, or: scoop install go-win-tools/%app%
exit /b %code%
:found
if "%GO_WIN_TOOLS_EXPLAIN%"=="1" (
  >&2 echo ^> %from_taken%: %why%
  exit /b 0
)

rem PATH without the folders of those that lost, in any case, with or without a backslash at the end.
set "gone="
for %%N in (scoop scoop-global choco) do if not "%%N"=="%from_taken%" call :lost %%N
if not defined gone goto start
set "rest=%PATH%"
set "kept="
:entry
set "entry="
for /f "tokens=1* delims=;" %%A in ("%rest%") do (
  set "entry=%%A"
  set "rest=%%B"
)
if not defined entry goto start
set "plain=%entry:"=%"
set "out="
for %%P in ("%plain%\." "%plain%\.." "%plain%\..\.." "%plain%\..\..\.." "%plain%\..\..\..\.." "%plain%\..\..\..\..\..") do for %%G in (%gone%) do if /i "%%~fP"=="%%~fG" set "out=1"
if not defined out if defined kept set "kept=%kept%;%entry%"
if not defined out if not defined kept set "kept=%entry%"
if defined rest goto entry

:start
endlocal & set "PATH=%kept%" & set "GO_WIN_TOOLS_RUN=%taken%"
"%GO_WIN_TOOLS_RUN%" %*
exit /b %ERRORLEVEL%

rem What PATH would have run without us.
:bypass
set "rest=%PATH%"
:other
set "entry="
for /f "tokens=1* delims=;" %%A in ("%rest%") do (
  set "entry=%%A"
  set "rest=%%B"
)
if not defined entry goto no_other
set "plain=%entry:"=%"
for %%P in ("%plain%\.") do if /i "%%~fP\"=="%here%" goto skipped
if exist "%plain%\%exe%" (
  set "taken=%plain%\%exe%"
  goto start
)
:skipped
if defined rest goto other
:no_other
>&2 echo %tool%: GO_WIN_TOOLS_BYPASS is set, and PATH has no other %exe%.
exit /b 127

:looked
call set "line=%%looked_%1%%"
if defined line for /f "delims=" %%L in ("%line%") do >&2 echo   %1  %%L
exit /b 0

:lost
call set "home=%%home_%1%%"
call set "shared=%%shared_%1%%"
if not defined home exit /b 0
set gone=%gone% "%home%"
if not "%sandbox%"=="strict" exit /b 0
if /i "%shared%"=="%shared_taken%" exit /b 0
set gone=%gone% "%shared%"
exit /b 0

:denied
if "%~1"=="%manager%" set "note=denied: %~1"
if not defined version exit /b 0
call :compare "%version%" "%~1"
if "%order%"=="0" set "note=denied: %~1"
exit /b 0

:newest
if /i "%~1"=="current" exit /b 0
call :compare "%~1" "%version%"
if "%order%"=="1" set "version=%~1"
exit /b 0

rem The text behind a key, from a file with a key a line, as Scoop writes it: file, key, variable.
:json
if not exist "%~1" exit /b 0
set "text="
for /f "usebackq tokens=1,* delims=: " %%A in ("%~1") do if not defined text if "%%~A"=="%~2" set "text=%%B"
if not defined text exit /b 0
set "text=%text:"=%"
for /f "tokens=* delims= " %%T in ("%text%") do set "text=%%T"
if "%text:~-1%"=="," set "text=%text:~0,-1%"
set "text=%text:\\=\%"
set "%~3=%text%"
exit /b 0

:nuspec
for /f "usebackq tokens=1-12 delims=<>" %%A in ("%~1") do (
  if "%%A"=="version" set "version=%%B"
  if "%%B"=="version" set "version=%%C"
  if "%%C"=="version" set "version=%%D"
  if "%%D"=="version" set "version=%%E"
  if "%%E"=="version" set "version=%%F"
  if "%%F"=="version" set "version=%%G"
  if "%%G"=="version" set "version=%%H"
  if "%%H"=="version" set "version=%%I"
  if "%%I"=="version" set "version=%%J"
  if "%%J"=="version" set "version=%%K"
)
exit /b 0

rem order=1 when the first comes after the second, -1 before, 0 the same; nothing at all is the oldest.
:compare
set "order=0"
if "%~1"=="%~2" exit /b 0
set "order=-1"
if "%~1"=="" exit /b 0
set "order=1"
if "%~2"=="" exit /b 0
set "before_a="
set "before_b="
for /f "tokens=1 delims=+" %%A in ("%~1") do for /f "tokens=1,* delims=-" %%B in ("%%A") do (
  set "words_a=%%B"
  set "before_a=%%C"
)
for /f "tokens=1 delims=+" %%A in ("%~2") do for /f "tokens=1,* delims=-" %%B in ("%%A") do (
  set "words_b=%%B"
  set "before_b=%%C"
)
set "missing=0"
call :words
if not "%order%"=="0" exit /b 0
if "%before_a%"=="%before_b%" exit /b 0
set "order=1"
if not defined before_a exit /b 0
set "order=-1"
if not defined before_b exit /b 0
set "words_a=%before_a%"
set "words_b=%before_b%"
set "missing="
call :words
exit /b 0

:words
set "order=0"
set "a=%missing%"
set "b=%missing%"
set "left_a="
set "left_b="
if defined words_a for /f "tokens=1,* delims=." %%A in ("%words_a%") do (
  set "a=%%A"
  set "left_a=%%B"
)
if defined words_b for /f "tokens=1,* delims=." %%A in ("%words_b%") do (
  set "b=%%A"
  set "left_b=%%B"
)
set "words_a=%left_a%"
set "words_b=%left_b%"
if "%a%"=="%b%" goto same_words
set "order=-1"
if not defined a exit /b 0
set "order=1"
if not defined b exit /b 0
set "word_a="
set "word_b="
for /f "delims=0123456789" %%A in ("%a%") do set "word_a=1"
for /f "delims=0123456789" %%B in ("%b%") do set "word_b=1"
set "order=-1"
if not defined word_a if defined word_b exit /b 0
if defined word_a if not defined word_b set "order=1"
if defined word_a if not defined word_b exit /b 0
if defined word_a goto texts
if "%a:~0,1%"=="0" if not "%a%"=="0" set "a=%a:~1%"
if "%b:~0,1%"=="0" if not "%b%"=="0" set "b=%b:~1%"
if %a% EQU %b% goto same_words
if %a% GTR %b% set "order=1"
exit /b 0
:texts
if /i "%a%" GTR "%b%" set "order=1"
exit /b 0
:same_words
set "order=0"
if defined words_a goto words
if defined words_b goto words
exit /b 0
