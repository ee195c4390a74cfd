# What was asked for, and what this machine has.
function Get-Missing {
  if ($Part -eq 'chocolatey') { return 'Chocolatey is not installed.' }
  if ($Part -eq 'scoop') { return 'Scoop is not installed for this user.' }
  return 'Neither Chocolatey nor Scoop is installed.'
}

$Parameters = '-Part, -Beta, -Shims, -ShimsDir, -DisableCommunity, -KeyFile, -ClientId, -Remove, -Check, -WhatIf, -Confirm, -NonInteractive, -LogFile'

# '' when it can be done.
function Get-UsageFault {
  if ($null -ne $Rest -and @($Rest).Count -gt 0) { return "unexpected: $($Rest -join ' '). Expected nothing but its parameters: $Parameters." }
  if ('all', 'chocolatey', 'scoop' -notcontains $Part) { return "-Part $Part`: expected chocolatey, scoop or all." }
  if ($ClientId -ne '' -and $ClientId -notmatch '\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z') { return "-ClientId $ClientId`: expected up to 64 letters, digits, dots, dashes and underscores, the first a letter or digit; -ClientId '' takes the addresses that all share." }
  if ($ShimsDir -match '[;%]') { return "-ShimsDir ${ShimsDir}: expected a folder without ; and % in its name." }
  if ($ShimsDir -ne '' -and -not $Remove -and -not (Test-Path -LiteralPath $ShimsDir -PathType Container)) { return "-ShimsDir ${ShimsDir}: there is no such folder." }
  return ''
}

function Get-LogFault {
  if ($LogFile -eq '') { return '' }
  try {
    # A new one is made before it is looked at, and looked at before anything is written: a link of somebody else's leads into no other file.
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
  # Without the fault, since a key may be in what was typed.
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
# A file may end its process; text in a session may not.
if ($PSCommandPath) { exit $LASTEXITCODE }
if ($LASTEXITCODE -ne 0) {
  & {
    $what = 'not all was done'
    if ($Check -and $LASTEXITCODE -eq 1) { $what = 'not all is as a run would leave it' }
    $record = New-Object Management.Automation.ErrorRecord -ArgumentList (New-Object Exception -ArgumentList "install.ps1: $what, as said above (exit code $LASTEXITCODE)."), 'GoWinTools', 'NotSpecified', $null
    # A script block ends alone, so that `exit $LASTEXITCODE` can follow; text that is read in takes its caller along.
    if ($null -ne $PSCmdlet) { $PSCmdlet.ThrowTerminatingError($record) }
    throw $record
  }
}
