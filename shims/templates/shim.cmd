@echo off
rem PATH-priority shim of go-win-tools: decides between the Chocolatey and the Scoop install of a tool.
rem Made from a policy; make it again instead of changing it. GO_WIN_TOOLS_EXPLAIN=1 tells what it sees.
rem The first setlocal is the child's environment, the second one, which ends before it starts, that of the decision.
setlocal EnableExtensions DisableDelayedExpansion
if not defined GO_WIN_TOOLS_DEPTH set "GO_WIN_TOOLS_DEPTH=0"
set "GO_WIN_TOOLS_DEPTH=%GO_WIN_TOOLS_DEPTH:"=?%"
for /f "eol=0 delims=0123456789" %%X in ("1%GO_WIN_TOOLS_DEPTH%") do if not "%%X"=="" set "GO_WIN_TOOLS_DEPTH=0"
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
rem No path has a quote; one in a variable would end ours, and the rest of it would be a command. No line may name a variable
rem with a replacement that is not there, not even behind an if: thus the jumps.
for %%V in (user global choco profile data settings tell bypass) do set "%%V="
if not defined SCOOP goto no_user
set "user=%SCOOP:"=%"
:no_user
if not defined SCOOP_GLOBAL goto no_global
set "global=%SCOOP_GLOBAL:"=%"
:no_global
if not defined ChocolateyInstall goto no_choco
set "choco=%ChocolateyInstall:"=%"
:no_choco
if not defined USERPROFILE goto no_profile
set "profile=%USERPROFILE:"=%"
:no_profile
if not defined ProgramData goto no_data
set "data=%ProgramData:"=%"
:no_data
if not defined XDG_CONFIG_HOME goto no_settings
set "settings=%XDG_CONFIG_HOME:"=%"
:no_settings
if not defined GO_WIN_TOOLS_EXPLAIN goto no_explain
set "tell=%GO_WIN_TOOLS_EXPLAIN:"=%"
:no_explain
if not "%tell%"=="1" set "tell="
set "explain=%tell%"
set "tell="
if defined explain goto managers
if not defined GO_WIN_TOOLS_BYPASS goto managers
set "bypass=%GO_WIN_TOOLS_BYPASS:"=%"
if "%bypass%"=="1" goto bypass

rem Where the managers are: the environment, then Scoop's configuration, then the defaults.
:managers
if not defined settings set "settings=%profile%\.config"
set "source=%settings%\scoop\config.json"
if not defined user call :json root_path user
if not defined global call :json global_path global
if not defined user set "user=%profile%\scoop"
if not defined global set "global=%data%\scoop"
if not defined choco set "choco=%data%\chocolatey"
rem What is relative, because a variable is empty, would be found in the working folder: it is no place.
if not "%user:~1,1%"==":" if not "%user:~0,2%"=="\\" set "user="
if not "%global:~1,1%"==":" if not "%global:~0,2%"=="\\" set "global="
if not "%choco:~1,1%"==":" if not "%choco:~0,2%"=="\\" set "choco="
if defined user for %%F in ("%user%\.") do set "user=%%~fF"
if defined global for %%F in ("%global%\.") do set "global=%%~fF"
if defined choco for %%F in ("%choco%\.") do set "choco=%%~fF"
rem What the caller has under these names must not speak here either.
set "trusted="
for %%V in (home shared distrusted) do for %%F in (scoop scoop-global choco) do set "%%V_%%F="

rem Once more without what is not trusted, and to tell where was looked, to explain or when there is nothing to run.
:look

set "taken="
set "from_taken="
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
rem No argument: call would fill in a %NAME% of a folder's name.
for /f "eol=_ delims=" %%D in ('dir /b /ad /od "%%home%%"') do (
  set "name=%%D"
  call :installed
)
:current
if defined version set "at=%home%\%version%"
set "version="
set "file=%at%\%exe%"
set "source=%at%\scoop-manifest.json"
if exist "%file%" call :json version version
set "source=%at%\manifest.json"
if exist "%file%" if not defined version call :json version version
if defined version call :believe
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
if defined version call :believe
set "next=known"
goto consider

:known
set "from=path"
set "manager=path"
set "home="
set "shared="
rem KNOWN

rem What all users share may have been put there by any of them. Who may change it only PowerShell tells, which takes its time: it is
rem asked of what would run alone.
set "shared_root="
if "%from_taken%"=="choco" set "shared_root=%choco%"
if "%from_taken%"=="scoop-global" set "shared_root=%global%"
if /i "%from_taken%|%user%"=="scoop|%global%" set "shared_root=%global%"
if not defined taken goto decided
if not defined shared_root goto decided
if "%from_taken%"=="%trusted%" goto decided
set "asked=%taken%"
call :ask >nul 2>nul
if defined is_trusted set "trusted=%from_taken%"
if defined is_trusted goto decided
set "distrusted_%from_taken%=%taken%"
if defined explain call :ask >&2
goto look

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
if defined distrusted_%from% if not defined note set "note=not trusted: others than administrators can change it or a folder around it"
if defined note if not defined taken if "%code%"=="127" set "why=nothing of what is there may run"
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
if not defined explain goto told
set "explain="
set "tell=explain"
>&2 echo %tool%: prefer %prefer%%pinned%, sandbox %sandbox%
goto look
:told
if defined taken goto found
if "%tell%"=="explain" >&2 echo Nothing is run: %why%.
if "%tell%"=="where" >&2 echo Install it: choco install %package%, or: scoop install go-win-tools/%app%
if "%tell%"=="where" for %%F in (scoop scoop-global choco) do if defined distrusted_%%F call :how_to %%F
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

rem Whether PowerShell knows of nothing against a file; else it says what.
:ask
set "is_trusted="
set "GO_WIN_TOOLS_FILE=%asked%"
set "GO_WIN_TOOLS_ROOT=%shared_root%"
rem What PowerShell 7 has there is not for this one.
set "PSModulePath="
if not defined SystemRoot exit /b 0
set "is_trusted=1"
"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe" -NoLogo -NoProfile -NonInteractive -Command "TRUST" <nul
rem Not %ERRORLEVEL%, which the caller may have as a variable; a crash is below 0.
if errorlevel 1 goto distrusted
if errorlevel 0 exit /b 0
:distrusted
set "is_trusted="
exit /b 0

:how_to
set "shared_root=%global%"
if "%~1"=="choco" set "shared_root=%choco%"
set "asked=%distrusted_scoop%"
if "%~1"=="scoop-global" set "asked=%distrusted_scoop-global%"
if "%~1"=="choco" set "asked=%distrusted_choco%"
call :ask >&2
>&2 echo Any user of this machine may have put programs into "%shared_root%". An administrator deletes it when nobody knows what is in it,
>&2 echo or else gives it to administrators alone:
>&2 echo   icacls "%shared_root%" /setowner *S-1-5-32-544 /T /Q
>&2 echo   icacls "%shared_root%" /inheritance:r /grant:r *S-1-5-32-544:(OI)(CI)F *S-1-5-18:(OI)(CI)F *S-1-5-32-545:(OI)(CI)RX
>&2 echo   icacls "%shared_root%\*" /reset /T /Q
exit /b 0

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
for /f "eol=0 delims=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+-" %%X in ("1%name%") do if not "%%X"=="" set "name="
if not defined name exit /b 0
if not exist "%home%\%name%\%exe%" exit /b 0
for %%I in (install.json scoop-install.json) do if exist "%home%\%name%\%%I" set "version=%name%"
exit /b 0

rem What a file of an install says is a version only when it is written as one (launcher/version.go). eol is one of the delims: no
rem text begins with it, once these are taken away. Wine's for has a turn also when nothing is left.
:believe
set "version=%version:"=?%"
set "start=%version:~0,128%"
if not "%start%"=="%version%" set "version=?"
for /f "delims=.+-" %%X in ("%version:~0,1%x") do if "%%X"=="x" set "version=?"
for /f "eol=0 delims=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.+-" %%X in ("1%version%") do if not "%%X"=="" set "version="
exit /b 0

rem The text behind a key, from a file with a key a line, as Scoop writes it: key, variable. The file is no argument: call
rem doubles carets.
:json
if not exist "%source%" exit /b 0
set "text="
for /f "usebackq tokens=1,* delims=: " %%A in ("%source%") do if not defined text if "%%~A"=="%~1" set "text=%%B"
if not defined text exit /b 0
set "text=%text:"=%"
if not defined text exit /b 0
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
  if not defined version if "%%A"=="version" if "%%C"=="/version" set "version=%%B"
  if not defined version if "%%B"=="version" if "%%D"=="/version" set "version=%%C"
  if not defined version if "%%C"=="version" if "%%E"=="/version" set "version=%%D"
  if not defined version if "%%D"=="version" if "%%F"=="/version" set "version=%%E"
  if not defined version if "%%E"=="version" if "%%G"=="/version" set "version=%%F"
  if not defined version if "%%F"=="version" if "%%H"=="/version" set "version=%%G"
  if not defined version if "%%G"=="version" if "%%I"=="/version" set "version=%%H"
  if not defined version if "%%H"=="version" if "%%J"=="/version" set "version=%%I"
  if not defined version if "%%I"=="version" if "%%K"=="/version" set "version=%%J"
  if not defined version if "%%J"=="version" if "%%L"=="/version" set "version=%%K"
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
