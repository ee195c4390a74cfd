# Small things that all parts need.
function Write-Done([string] $Text) { Write-Host "  $Text" }

# The only place that starts programs. Answers with the lines of their output.
function Invoke-Program([string] $Program, [string[]] $Arguments, [int[]] $Allow = @(0), [string[]] $InputLines = @()) {
  # In ISE and in remote sessions 5.1 makes errors of what a program writes to stderr; its exit code alone counts.
  $ErrorActionPreference = 'Continue'
  # ASCII without a byte order mark, whatever the console has.
  $OutputEncoding = New-Object System.Text.ASCIIEncoding
  if ($InputLines.Count -gt 0) { $lines = $InputLines | & $Program @Arguments }
  else { $lines = & $Program @Arguments }
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

# Beside it first: nobody ever sees half a file, and its permissions stay. No copy stays behind with a key in it.
function Move-IntoPlace([string] $Part, [string] $File) {
  if (Test-Path -LiteralPath $File) { [IO.File]::Replace($Part, $File, [NullString]::Value) }
  else { [IO.File]::Move($Part, $File) }
}
