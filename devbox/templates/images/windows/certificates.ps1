<#
.SYNOPSIS
Adds every certificate of a PEM bundle to the trusted authorities, which is what Go and .NET programs read on Windows. Server Core comes
with few, and fetches others from Microsoft when it needs them: without the internet it cannot.
.NOTES
For Windows PowerShell 5.1, which reads no PEM by itself.
#>
param(
  [Parameter(Mandatory)] [string] $Bundle,
  [ValidateSet('LocalMachine', 'CurrentUser')] [string] $Location = 'LocalMachine'
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$text = [IO.File]::ReadAllText([IO.Path]::GetFullPath($Bundle))
$blocks = [regex]::Matches($text, '-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----')
if ($blocks.Count -eq 0) { throw "certificates: $Bundle has no certificate in PEM form" }
$store = New-Object Security.Cryptography.X509Certificates.X509Store 'Root', $Location
$store.Open('ReadWrite')
try {
  foreach ($block in $blocks) {
    $bytes = [Convert]::FromBase64String(($block.Groups[1].Value -replace '\s'))
    # The comma: otherwise each byte is an argument of its own.
    $certificate = New-Object Security.Cryptography.X509Certificates.X509Certificate2 (, $bytes)
    $store.Add($certificate)
  }
}
finally {
  $store.Close()
}
Write-Output "$($blocks.Count) certificates of $Bundle are trusted"
