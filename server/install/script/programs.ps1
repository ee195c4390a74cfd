# Programs and files, as all parts use them.

# Nobody answers a program here: git finds the key by its helper or not at all, and gives up on a server that sends nothing.
$Unattended = @{
  GO_WIN_TOOLS_KEY = $null
  GIT_TERMINAL_PROMPT = '0'
  GCM_INTERACTIVE = 'never'
  GIT_ASKPASS = $null
  # In git's own writing, which every version reads: an empty program asks nobody (git prompt.c).
  GIT_CONFIG_PARAMETERS = "'core.askpass='"
  GIT_HTTP_LOW_SPEED_LIMIT = '1'
  GIT_HTTP_LOW_SPEED_TIME = "$Patience"
}

function Set-Environment([hashtable] $Values) {
  foreach ($entry in $Values.GetEnumerator()) {
    if ($null -eq $entry.Value) { [Environment]::SetEnvironmentVariable($entry.Key, [NullString]::Value) }
    else { [Environment]::SetEnvironmentVariable($entry.Key, $entry.Value) }
  }
}

# The only place that starts programs. Answers with the lines of their output.
function Invoke-Program([string] $Program, [string[]] $Arguments, [int[]] $Allow = @(0), [string[]] $InputLines = @()) {
  Assert-OutOfReach @($Program, (Split-Path -Parent $Program))
  # With Stop, 5.1 would end at the first line that a program writes to stderr; its exit code alone counts.
  $ErrorActionPreference = 'Continue'
  # ASCII without a byte order mark, whatever the console has.
  $OutputEncoding = New-Object System.Text.ASCIIEncoding
  $kept = @{}
  foreach ($variable in $Unattended.Keys) { $kept[$variable] = [Environment]::GetEnvironmentVariable($variable) }
  Set-Environment $Unattended
  try {
    if ($InputLines.Count -gt 0) { $said = @($InputLines | & $Program @Arguments 2>&1) }
    else { $said = @(& $Program @Arguments 2>&1) }
    $code = $LASTEXITCODE
  } finally { Set-Environment $kept }
  $line = "$(Split-Path -Leaf $Program) $($Arguments -join ' ')"
  Write-Log "ran: $line (exit code $code)"
  if ($Allow -notcontains $code) {
    $last = @($said | Where-Object { "$_".Trim() -ne '' } | Select-Object -Last 5 | ForEach-Object { "$_".Trim() }) -join ' '
    throw "$line ended with exit code $code. $last"
  }
  return @($said | Where-Object { $_ -isnot [Management.Automation.ErrorRecord] } | ForEach-Object { "$_" })
}

# Beside it first: nobody ever sees half a file, and its permissions stay. Always a new one: what somebody else made there before
# would stay theirs, with the key in it.
function New-Part([string] $File) {
  $part = "$File.$Name"
  [IO.File]::Delete($part)
  [IO.File]::Open($part, [IO.FileMode]::CreateNew).Dispose()
  return $part
}

# No copy stays behind with a key in it.
function Move-IntoPlace([string] $Part, [string] $File) {
  try {
    if (Test-Path -LiteralPath $File) { [IO.File]::Replace($Part, $File, [NullString]::Value) }
    else { [IO.File]::Move($Part, $File) }
  } finally { [IO.File]::Delete($Part) }
}
