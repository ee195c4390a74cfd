# The key for reading: from a file, the environment, or a person.

# Whether somebody is present who could answer: not in a service, a management tool or a pipeline.
function Test-Person {
  if ($NonInteractive -or -not [Environment]::UserInteractive -or (Test-ServiceSession)) { return $false }
  if (@([Environment]::GetCommandLineArgs() | Where-Object { $_ -match '\A[-/]noni' }).Count -gt 0) { return $false }
  # Hosts other than the console ask in their own windows.
  return $Host.Name -ne 'ConsoleHost' -or -not [Console]::IsInputRedirected
}

function Read-Key {
  if ($KeyFile -ne '') {
    $file = Get-WholePath $KeyFile
    # The value is not repeated: PowerShell takes `-Key KEY` for -KeyFile, and output is logged.
    if ($KeyFile -notmatch '[.:\\/]' -and -not (Test-Path -LiteralPath $file -PathType Leaf)) { throw '-KeyFile: there is no such file. Expected the name of a file that contains the key, not the key itself.' }
    try { return [IO.File]::ReadAllText($file).Trim() }
    catch { throw "The key cannot be read from ${file}: $($_.Exception.GetBaseException().Message)" }
  }
  if ($env:GO_WIN_TOOLS_KEY) { return $env:GO_WIN_TOOLS_KEY.Trim() }
  $ask = "This server needs a key for reading"
  if (-not (Test-Person)) { throw "$ask, and nobody can be asked for it here: set GO_WIN_TOOLS_KEY, or use -KeyFile FILE." }
  try { $secure = Read-Host -AsSecureString -Prompt "$ask (or set GO_WIN_TOOLS_KEY, or use -KeyFile FILE)" }
  catch { throw "$ask, and nobody answered: set GO_WIN_TOOLS_KEY, or use -KeyFile FILE." }
  return (New-Object System.Management.Automation.PSCredential -ArgumentList $Name, $secure).GetNetworkCredential().Password
}

# The key of this run, checked at the server; an error says what is wrong with it.
function Get-ReadKey {
  $key = Read-Key
  $Given.Key = $key
  if ($key -notmatch '\A[A-Za-z0-9._~+/=-]{8,512}\z') { throw 'This is not a key: expected at least 8 letters, digits and . _ ~ + / = - without blanks.' }
  if (([Uri]$BaseUrl).Scheme -eq 'http' -and -not ([Uri]$BaseUrl).IsLoopback) { Write-Note "The key goes to $BaseUrl over plain http: everyone on the way can read it." }
  $answer = Get-Answer "$BaseUrl/api/v1/key" $key
  if (401, 403 -contains $answer.Status) { throw "The server does not accept this key (HTTP $($answer.Status)). Its operator can create one: feed:keys add --name NAME --scope read" }
  $known = $null
  if ($answer.Status -eq 200) {
    try { $known = $answer.Text | ConvertFrom-Json }
    catch { $known = $null }
  }
  if ($null -eq $known -or $null -eq $known.scopes) { throw "The key could not be checked at ${BaseUrl}: $(Get-AnswerFault $answer)." }
  if ($known.scopes -notcontains 'read') { throw "The key '$($known.name)' may not read. A key with the scope read is needed." }
  return $key
}
