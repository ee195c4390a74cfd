# Small things that all parts need.
function Write-Done([string] $Text) { Write-Host "  $Text" }

# The only place that starts programs. Answers with the lines of their output.
function Invoke-Program([string] $Program, [string[]] $Arguments, [int[]] $Allow = @(0), [string[]] $InputLines = @()) {
  Assert-OutOfReach @($Program, (Split-Path -Parent $Program))
  # In ISE and in remote sessions 5.1 makes errors of what a program writes to stderr; its exit code alone counts.
  $ErrorActionPreference = 'Continue'
  # ASCII without a byte order mark, whatever the console has.
  $OutputEncoding = New-Object System.Text.ASCIIEncoding
  # No program needs the key by its environment; and git waits for no answer where nobody is who could give one.
  $kept = @($env:GO_WIN_TOOLS_KEY, $env:GIT_TERMINAL_PROMPT, $env:GCM_INTERACTIVE)
  $env:GO_WIN_TOOLS_KEY = $null
  if (-not [Environment]::UserInteractive) {
    $env:GIT_TERMINAL_PROMPT = '0'
    $env:GCM_INTERACTIVE = 'never'
  }
  try {
    if ($InputLines.Count -gt 0) { $lines = $InputLines | & $Program @Arguments }
    else { $lines = & $Program @Arguments }
  } finally { $env:GO_WIN_TOOLS_KEY, $env:GIT_TERMINAL_PROMPT, $env:GCM_INTERACTIVE = $kept }
  if ($Allow -notcontains $LASTEXITCODE) {
    $said = @($lines | Select-Object -Last 5) -join ' '
    throw "$(Split-Path -Leaf $Program) $($Arguments -join ' ') ended with exit code $LASTEXITCODE. $said"
  }
  return $lines
}

function Test-Admin {
  $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
  $principal = New-Object Security.Principal.WindowsPrincipal -ArgumentList $identity
  return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Test-Writable([string] $File) {
  try {
    [IO.File]::Open($File, [IO.FileMode]::Open, [IO.FileAccess]::ReadWrite, [IO.FileShare]::ReadWrite).Dispose()
    return $true
  } catch {
    return $false
  }
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
