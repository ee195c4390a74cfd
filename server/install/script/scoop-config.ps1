# Scoop's config.json. It is read and written with a mark before each string: PowerShell 7 would convert strings that look like
# times, and write them in another time zone.
$Mark = '~'

function Read-ScoopText([string] $File) {
  if (-not (Test-Path -LiteralPath $File)) { return '' }
  # Bytes that are not UTF-8 are an error here; otherwise they would be lost.
  return [IO.File]::ReadAllText($File, (New-Object System.Text.UTF8Encoding -ArgumentList $false, $true))
}

function Read-ScoopConfig([string] $File) {
  try {
    $text = Read-ScoopText $File
    if ($text.Trim() -eq '') { return New-Object PSObject }
    # Not through the pipeline, which unrolls arrays.
    $config = ConvertFrom-Json -InputObject ($text -replace '"((?:[^"\\]|\\.)*)"', "`"$Mark`$1`"")
  } catch {
    # The parser of 5.1 quotes the whole text, which contains keys, so its message is not passed on.
    $where = ''
    if ($_.Exception.GetBaseException().Message -match ', (line \d+), position \d+\.\z') { $where = " ($($Matches[1]))" }
    throw "$File is no JSON that Scoop could read$where, and is left as it is."
  }
  if ($config -isnot [Management.Automation.PSCustomObject]) { throw "$File is left as it is: expected an object, { ... }, as Scoop writes it." }
  return $config
}

# One setting as text.
function Get-ScoopSetting($Config, [string] $Setting) {
  $value = $Config."$Mark$Setting"
  if ($value -is [string]) { return $value.Substring(1) }
  return $value
}

function Write-ScoopConfig($Config, [bool] $IsPrivate) {
  $text = (ConvertTo-Json -InputObject $Config -Depth 100) -replace "`"$Mark((?:[^`"\\]|\\.)*)`"", '"$1"'
  [void][IO.Directory]::CreateDirectory((Split-Path -Parent $Scoop.Config))
  $part = New-Part $Scoop.Config
  if ($IsPrivate) { Assert-Private @($part, $Scoop.Config) }
  [IO.File]::WriteAllText($part, "$text`r`n", (New-Object System.Text.UTF8Encoding -ArgumentList $false))
  Move-IntoPlace $part $Scoop.Config
}

# Scoop stores the key readable, so the file must be private to this user. An existing file keeps its permissions.
function Assert-Private([string[]] $Files) {
  $readers = @($Files | Where-Object { Test-Path -LiteralPath $_ } | ForEach-Object { Get-Others $_ $reads (Get-Me) } | Select-Object -Unique)
  if ($readers.Count -eq 0) { return }
  [IO.File]::Delete($Files[0])
  throw "The key is not written to $($Scoop.Config): $($readers -join ', ') can read that file. Leave it and its folder to this user alone, then run this again."
}

function Get-HostMatch([string] $Base) { return '^' + [regex]::Escape("$Base/dl/") }

# The headers that Scoop sends to a server with each download, from private_hosts; more than one entry is as wrong as none.
function Get-PrivateHeaders([string] $Base) {
  $match = $Mark + (Get-HostMatch $Base)
  return @((Read-ScoopConfig $Scoop.Config)."${Mark}private_hosts" | Where-Object { $null -ne $_ -and $_."${Mark}match" -eq $match } | ForEach-Object { "$($_."${Mark}headers")".Substring(1) })
}

# '' removes the key.
function Set-PrivateKey([string] $Base, [string] $Key) {
  $config = Read-ScoopConfig $Scoop.Config
  $match = $Mark + (Get-HostMatch $Base)
  $hosts = @($config."${Mark}private_hosts" | Where-Object { $null -ne $_ -and $_."${Mark}match" -ne $match })
  if ($Key -ne '') { $hosts += [PSCustomObject]@{ "${Mark}match" = $match; "${Mark}headers" = "${Mark}X-NuGet-ApiKey=$Key" } }
  $config.PSObject.Properties.Remove("${Mark}private_hosts")
  if ($hosts.Count -gt 0) { $config | Add-Member -MemberType NoteProperty -Name "${Mark}private_hosts" -Value $hosts }
  Write-ScoopConfig $config ($Key -ne '')
}
