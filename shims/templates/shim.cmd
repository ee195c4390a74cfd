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
rem In a subroutine: %~dp0 is wrong where the caller put our name in quotes.
call :here
if not "%GO_WIN_TOOLS_EXPLAIN%"=="1" if "%GO_WIN_TOOLS_BYPASS%"=="1" goto bypass

rem Where the managers are: the environment, then Scoop's configuration, then the defaults.
set "user=%SCOOP%"
set "global=%SCOOP_GLOBAL%"
set "settings=%USERPROFILE%\.config"
if defined XDG_CONFIG_HOME set "settings=%XDG_CONFIG_HOME%"
set "source=%settings%\scoop\config.json"
if not defined user call :json root_path user
if not defined global call :json global_path global
if not defined user set "user=%USERPROFILE%\scoop"
if not defined global set "global=%ProgramData%\scoop"
set "choco=%ChocolateyInstall%"
if not defined choco set "choco=%ProgramData%\chocolatey"
rem What is relative, because a variable is empty, would be found in the working folder: it is no place.
if not "%user:~1,1%"==":" if not "%user:~0,2%"=="\\" set "user="
if not "%global:~1,1%"==":" if not "%global:~0,2%"=="\\" set "global="
if not "%choco:~1,1%"==":" if not "%choco:~0,2%"=="\\" set "choco="
if defined user for %%F in ("%user%\.") do set "user=%%~fF"
if defined global for %%F in ("%global%\.") do set "global=%%~fF"
if defined choco for %%F in ("%choco%\.") do set "choco=%%~fF"
set "tell="
if "%GO_WIN_TOOLS_EXPLAIN%"=="1" set "tell=explain"
if defined tell >&2 echo %tool%: prefer %prefer%%pinned%, sandbox %sandbox%

rem What the caller has under these names must not speak here either.
for %%V in (home shared) do for %%F in (scoop scoop-global choco) do set "%%V_%%F="

rem Once more to tell where was looked, when there is nothing to run.
:look

set "taken="
set "best="
set "why=it is not installed"
set "code=127"

set "from=scoop"
set "root=%user%"
set "next=scoop_global"
if defined root goto scoop
:scoop_global
set "from=scoop-global"
set "root=%global%"
set "next=choco"
if not defined root goto choco
if /i "%user%"=="%root%" goto choco

:scoop
set "manager=scoop"
set "home=%root%\apps\%app%"
set "shared=%root%\shims"
set "at=%home%\current"
set "version="
rem With Scoop's no_junction there is no current: the version installed last is what it runs. _1.2.0.old is what it puts aside.
if exist "%at%\%exe%" goto current
if not exist "%home%\" goto current
rem The cmd that runs dir fills in the folder: there a quote in it ends nothing.
for /f "eol=_ delims=" %%D in ('dir /b /ad /od "%%home%%"') do call :installed "%%D"
:current
if defined version set "at=%home%\%version%"
set "version="
set "file=%at%\%exe%"
set "source=%at%\scoop-manifest.json"
if exist "%file%" call :json version version
set "source=%at%\manifest.json"
if exist "%file%" if not defined version call :json version version
goto consider

:choco
if not defined choco goto known
set "from=choco"
set "manager=choco"
set "home=%choco%\lib\%package%"
set "shared=%choco%\bin"
set "file=%home%\tools\%exe%"
set "version="
set "source=%home%\%package%.nuspec"
if exist "%file%" if exist "%source%" call :nuspec
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
if not "%file:~1,1%"==":" if not "%file:~0,2%"=="\\" goto absent
if exist "%file%" goto there
:absent
set "note=not there"
goto noted
:there
for %%W in (%deny%) do if not defined note call :denied "%%~W"
for %%F in ("%file%") do set "folder=%%~dpF"
for %%D in ("%here%" "%user%\shims\" "%global%\shims\" "%choco%\bin\") do if /i "%folder%"=="%%~D" set "note=a shim, not the program itself"
rem Scoop's shims, and ours elsewhere, have their target beside them.
for %%X in (shim shim.json) do if exist "%file:~0,-3%%%X" set "note=a shim, not the program itself"
if defined note if "%code%"=="127" set "why=nothing of what is there may run"
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
set "why=%reason%"
:noted
if not "%note%"=="not there" if defined home set "home_%from%=%home%"
if not "%note%"=="not there" if defined home set "shared_%from%=%shared%"
set "line=  %from%  %version%  %file%  %note%"
if defined tell for /f "delims=" %%L in ("%line%") do >&2 echo %%L
goto %next%

:decided
if defined taken goto found
if "%tell%"=="explain" >&2 echo Nothing is run: %why%.
if "%tell%"=="where" >&2 echo Install it: choco install %package%, or: scoop install go-win-tools/%app%
if defined tell exit /b %code%
>&2 echo %tool%: %why%. Looked at:
set "tell=where"
goto look
:found
if defined tell (
  >&2 echo ^> %from_taken%: %why%
  exit /b 0
)

rem PATH without the folders of those that lost, in any case, with or without a backslash at the end.
set "gone="
if not "%from_taken%"=="scoop" if defined home_scoop set gone="%home_scoop%"
if not "%from_taken%"=="scoop-global" if defined home_scoop-global set gone=%gone% "%home_scoop-global%"
if not "%from_taken%"=="choco" if defined home_choco set gone=%gone% "%home_choco%"
if not "%sandbox%"=="strict" goto filter
if not "%from_taken%"=="scoop" if defined home_scoop set gone=%gone% "%shared_scoop%"
if not "%from_taken%"=="scoop-global" if defined home_scoop-global set gone=%gone% "%shared_scoop-global%"
if not "%from_taken%"=="choco" if defined home_choco set gone=%gone% "%shared_choco%"
:filter
if not defined gone goto start
if not defined PATH goto start
rem A quote in PATH would end one of ours, and for /f skips an entry that is empty: what no path has stands for them meanwhile.
set "rest=%PATH:"=|%"
set "rest=%rest:;;=;<;%"
set "rest=%rest:;;=;<;%"
if "%rest:~0,1%"==";" set "rest=<%rest%"
if "%rest:~-1%"==";" set "rest=%rest%<"
set "kept="
:entry
set "entry="
for /f "tokens=1* delims=;" %%A in ("%rest%") do (
  set "entry=%%A"
  set "rest=%%B"
)
if not defined entry goto filtered
set "plain=%entry:|=%"
set "out="
if not "%entry%"=="<" for %%P in ("%plain%\." "%plain%\.." "%plain%\..\.." "%plain%\..\..\.." "%plain%\..\..\..\.." "%plain%\..\..\..\..\..") do for %%G in (%gone%) do if /i "%%~fP"=="%%~fG" set "out=1"
if not defined out if defined kept set "kept=%kept%;%entry%"
if not defined out if not defined kept set "kept=%entry%"
if defined rest goto entry
:filtered
if defined kept set "kept=%kept:<=%"
if not defined kept goto emptied
endlocal & set "GO_WIN_TOOLS_RUN=%taken%" & set "PATH=%kept:|="%"
goto run
:emptied
endlocal & set "GO_WIN_TOOLS_RUN=%taken%" & set "PATH="
goto run

rem What PATH would have run without us.
:bypass
if not defined PATH goto no_other
set "rest=%PATH:"=|%"
:other
set "entry="
for /f "tokens=1* delims=;" %%A in ("%rest%") do (
  set "entry=%%A"
  set "rest=%%B"
)
if not defined entry goto no_other
set "plain=%entry:|=%"
if not "%plain:~1,1%"==":" if not "%plain:~0,2%"=="\\" goto skipped
for %%P in ("%plain%\.") do if /i "%%~fP\"=="%here%" goto skipped
rem Another folder of shims would come back to us.
if exist "%plain%\%exe:~0,-3%shim.json" goto skipped
if exist "%plain%\%exe%" (
  set "taken=%plain%\%exe%"
  goto start
)
:skipped
if defined rest goto other
:no_other
>&2 echo %tool%: GO_WIN_TOOLS_BYPASS is set, and PATH has no other %exe%.
exit /b 127

:here
set "here=%~dp0"
exit /b 0

:denied
if "%~1"=="%manager%" set "note=denied: %~1"
if not defined version exit /b 0
call :compare "%version%" "%~1"
if "%order%"=="0" set "note=denied: %~1"
exit /b 0

:installed
if not exist "%home%\%~1\%exe%" exit /b 0
for %%I in (install.json scoop-install.json) do if exist "%home%\%~1\%%I" set "version=%~1"
exit /b 0

rem The text behind a key, from a file with a key a line, as Scoop writes it: key, variable. The file is no argument: call
rem doubles carets.
:json
if not exist "%source%" exit /b 0
set "text="
for /f "usebackq tokens=1,* delims=: " %%A in ("%source%") do if not defined text if "%%~A"=="%~1" set "text=%%B"
if not defined text exit /b 0
set "text=%text:"=%"
for /f "tokens=* delims= " %%T in ("%text%") do set "text=%%T"
if "%text:~-1%"=="," set "text=%text:~0,-1%"
rem Windows PowerShell's JSON has these two as numbers.
set "text=%text:\u0026=&%"
set "text=%text:\u0027='%"
set "text=%text:\\=\%"
set "%~2=%text%"
exit /b 0

:nuspec
for /f "usebackq tokens=1-12 delims=<>" %%A in ("%source%") do (
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
rem Build metadata, behind a plus, is no part of the order.
for /f "tokens=1 delims=+" %%A in ("%~1") do set "words_a=%%A"
for /f "tokens=1 delims=+" %%A in ("%~2") do set "words_b=%%A"
for /f "tokens=1,* delims=-" %%A in ("%words_a%") do (
  set "words_a=%%A"
  set "before_a=%%B"
)
for /f "tokens=1,* delims=-" %%A in ("%words_b%") do (
  set "words_b=%%A"
  set "before_b=%%B"
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
if /i "%a%"=="%b%" goto same_words
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

rem PATH as it is. The last line: what the child ends with is what we end with, whatever a caller has in a variable ERRORLEVEL.
:start
endlocal & set "GO_WIN_TOOLS_RUN=%taken%"
:run
"%GO_WIN_TOOLS_RUN%" %*
