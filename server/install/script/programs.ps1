# Programs and files, as used by all parts.

# Nobody can answer a program here: git gets the key from its helper or not at all, and gives up on a server that sends nothing.
$Unattended = @{
  GO_WIN_TOOLS_KEY = $null
  GIT_TERMINAL_PROMPT = '0'
  GCM_INTERACTIVE = 'never'
  GIT_ASKPASS = $null
  # In git's own syntax, which every version reads: an empty program asks nobody (git prompt.c).
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

# The only place that starts programs. Returns the lines of their output.
function Invoke-Program([string] $Program, [string[]] $Arguments, [int[]] $Allow = @(0), [string[]] $InputLines = @()) {
  Assert-OutOfReach @($Program, (Split-Path -Parent $Program))
  # With Stop, 5.1 would end at the first line that a program writes to stderr; only its exit code counts.
  $ErrorActionPreference = 'Continue'
  # ASCII without a byte order mark, whatever the console uses.
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

# A new file beside it, so that nobody sees an incomplete file and its permissions stay. Always a new one: a file that somebody
# else created there would stay theirs, with the key in it.
function New-Part([string] $File) {
  $part = "$File.$Name"
  [IO.File]::Delete($part)
  [IO.File]::Open($part, [IO.FileMode]::CreateNew).Dispose()
  return $part
}

# No copy with a key in it is left behind.
function Move-IntoPlace([string] $Part, [string] $File) {
  try {
    if (Test-Path -LiteralPath $File) { [IO.File]::Replace($Part, $File, [NullString]::Value) }
    else { [IO.File]::Move($Part, $File) }
  } finally { [IO.File]::Delete($Part) }
}
