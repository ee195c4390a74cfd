# Output goes to the window and, with the time, to -LogFile; never a key.
function Hide-Key([string] $Text) {
  if ($Given.Key -eq '') { return $Text }
  return $Text.Replace($Given.Key, '***')
}

function Write-Log([string] $Text) {
  if ($LogFile -eq '') { return }
  $time = [DateTime]::UtcNow.ToString('s', [Globalization.CultureInfo]::InvariantCulture)
  $bytes = [Text.Encoding]::UTF8.GetBytes("${time}Z $(Hide-Key $Text)`r`n")
  # Two runs may write to one file.
  $stream = [IO.File]::Open($LogFile, [IO.FileMode]::Append, [IO.FileAccess]::Write, [IO.FileShare]::ReadWrite)
  try { $stream.Write($bytes, 0, $bytes.Length) }
  finally { $stream.Dispose() }
}

function Write-Line([string] $Text) {
  Write-Host (Hide-Key $Text)
  Write-Log $Text
}

function Write-Note([string] $Text) {
  Write-Warning (Hide-Key $Text)
  Write-Log "WARNING: $Text"
}

# Resolved by PowerShell, whose location differs from its process' working folder.
function Get-WholePath([string] $Path) { return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path) }
