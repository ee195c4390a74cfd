# Checks the parameters and runs the parts.
function Get-Missing {
  if ($Part -eq 'chocolatey') { return 'Chocolatey is not installed.' }
  if ($Part -eq 'scoop') { return 'Scoop is not installed for this user.' }
  return 'Neither Chocolatey nor Scoop is installed.'
}

$Parameters = '-Part, -Beta, -Shims, -ShimsDir, -DisableCommunity, -KeyFile, -ClientId, -Remove, -Check, -WhatIf, -Confirm, -NonInteractive, -LogFile'

# '' if the parameters are valid.
function Get-UsageFault {
  if ($null -ne $Rest -and @($Rest).Count -gt 0) { return "unexpected: $($Rest -join ' '). Expected only these parameters: $Parameters." }
  if ('all', 'chocolatey', 'scoop' -notcontains $Part) { return "-Part $Part`: expected chocolatey, scoop or all." }
  if (-not $Beta -and $ClientId -ne '' -and $ClientId -notmatch '\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z') { return "-ClientId $ClientId`: expected up to 64 letters, digits, dots, dashes and underscores, the first a letter or digit; -ClientId '' uses the addresses that all clients share." }
  if ($ShimsDir -match '[;%]') { return "-ShimsDir ${ShimsDir}: expected a folder without ; and % in its name." }
  if ($ShimsDir -ne '' -and -not $Remove -and -not (Test-Path -LiteralPath $ShimsDir -PathType Container)) { return "-ShimsDir ${ShimsDir}: there is no such folder." }
  return ''
}

function Get-LogFault {
  if ($LogFile -eq '') { return '' }
  try {
    # A new file is created before it is checked, and checked before anything is written, so that somebody else's link cannot
    # redirect it.
    if (-not (Test-Path -LiteralPath $LogFile)) { [IO.File]::Open($LogFile, [IO.FileMode]::CreateNew).Dispose() }
    Assert-OutOfReach @($LogFile)
    Write-Log "install.ps1 of $BaseUrl, by $([Environment]::UserName) on $([Environment]::MachineName)"
  } catch { return "-LogFile ${LogFile}: $($_.Exception.GetBaseException().Message)" }
  return ''
}

if ($LogFile -ne '') { $LogFile = Get-WholePath $LogFile }
$usageFault = Get-LogFault
if ($usageFault -ne '') { $LogFile = '' }
else { $usageFault = Get-UsageFault }
if ($usageFault -ne '') {
  # Without the details, since the arguments may include a key.
  Write-Log 'wrong usage: nothing was changed'
  Write-Log 'exit code 2'
  $Host.UI.WriteErrorLine("install.ps1: $usageFault Nothing was changed.")
  return 2
}
$BucketUrl = $MainBucketUrl
if ($Beta) { $BucketUrl = $BetaBucketUrl }
elseif ($ClientId -ne '') {
  $FeedUrl = "$BaseUrl/nuget/c/$($ClientId.ToLowerInvariant())"
  $BucketUrl = "$BaseUrl/git/c/$($ClientId.ToLowerInvariant())/$Name.git"
}
$Choco = Find-Choco
$Scoop = Find-Scoop
if ($null -eq $Choco -and $Part -ne 'scoop') { Write-Line 'Chocolatey is not installed.' }
if ($null -eq $Scoop -and $Part -ne 'chocolatey') { Write-Line 'Scoop is not installed for this user.' }
$code = 1
try {
  if ($Check -or $WhatIfPreference) { $code = Use-Web { Invoke-Run } }
  else { $code = Use-Turn { Use-Web { Invoke-Run } } }
} catch { Write-Note $_.Exception.Message }
Write-Log "exit code $code"
return $code
} | Select-Object -Last 1)
# A file may end its process; text in a session must not.
if ($PSCommandPath) { exit $LASTEXITCODE }
if ($LASTEXITCODE -ne 0) {
  & {
    $what = 'not everything was done'
    if ($Check -and $LASTEXITCODE -eq 1) { $what = 'a run would change something' }
    $record = New-Object Management.Automation.ErrorRecord -ArgumentList (New-Object Exception -ArgumentList "install.ps1: $what, see above (exit code $LASTEXITCODE)."), 'GoWinTools', 'NotSpecified', $null
    # A script block ends alone, so that `exit $LASTEXITCODE` can follow; text that is read in also ends its caller.
    if ($null -ne $PSCmdlet) { $PSCmdlet.ThrowTerminatingError($record) }
    throw $record
  }
}
