# The key for reading, and how Chocolatey keeps it.
function Get-ReadKey {
  if ($KeyFile -ne '') {
    $key = [IO.File]::ReadAllText((Resolve-Path -LiteralPath $KeyFile).ProviderPath).Trim()
  } elseif ($env:GO_WIN_TOOLS_KEY) {
    $key = $env:GO_WIN_TOOLS_KEY.Trim()
  } else {
    $secure = Read-Host -AsSecureString -Prompt "Key for reading $BaseUrl (or set GO_WIN_TOOLS_KEY, or -KeyFile FILE)"
    $key = (New-Object System.Management.Automation.PSCredential -ArgumentList $Name, $secure).GetNetworkCredential().Password
  }
  if ($key -notmatch '\A[A-Za-z0-9._~+/=-]{8,512}\z') { throw 'This is not a key: expected at least 8 letters, digits and . _ ~ + / = - without blanks.' }
  if (([Uri]$BaseUrl).Scheme -eq 'http' -and -not ([Uri]$BaseUrl).IsLoopback) { Write-Warning "The key goes to $BaseUrl over plain http: everyone on the way can read it." }
  # A redirect would take the key to another server.
  try { $known = Invoke-RestMethod -UseBasicParsing -MaximumRedirection 0 -Uri "$BaseUrl/api/v1/key" -Headers @{ 'X-NuGet-ApiKey' = $key } }
  catch { throw "The server does not take this key ($($_.Exception.Message)). Its operator makes one: feed:keys add --name NAME --scope read" }
  if ($known.scopes -notcontains 'read') { throw "The key '$($known.name)' may not read. A key with the scope read is needed." }
  return $key
}

# As Chocolatey encrypts passwords of sources: for this machine, with its own entropy (choco DefaultEncryptionUtility).
function Import-DataProtection {
  if ($PSVersionTable.PSEdition -eq 'Core') { Add-Type -AssemblyName System.Security.Cryptography.ProtectedData }
  else { Add-Type -AssemblyName System.Security }
}
$Entropy = [Text.Encoding]::UTF8.GetBytes('Chocolatey')

function Protect-Text([string] $Text) {
  $bytes = [Text.Encoding]::UTF8.GetBytes($Text)
  return [Convert]::ToBase64String([Security.Cryptography.ProtectedData]::Protect($bytes, $Entropy, [Security.Cryptography.DataProtectionScope]::LocalMachine))
}

function Unprotect-Text([string] $Text) {
  try { return [Text.Encoding]::UTF8.GetString([Security.Cryptography.ProtectedData]::Unprotect([Convert]::FromBase64String($Text), $Entropy, [Security.Cryptography.DataProtectionScope]::LocalMachine)) }
  catch { return '' }
}
