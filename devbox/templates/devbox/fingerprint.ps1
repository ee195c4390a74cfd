#requires -Version 7.4
<#
.SYNOPSIS
The fingerprint of this machine's hardware, KIND:SHA-256 on one line. As an administrator.
.DESCRIPTION
tpm      the endorsement key of its TPM 2.0
machine  without one: the UUID of its SMBIOS and the addresses of its own network cards. Clones of a virtual machine may have one
         UUID, and their cards differ
cards    where the UUID is a placeholder of the maker: the addresses alone
What is absent is left out; what is present and cannot be read ends this with 1, or the fingerprint would depend on who asks.
fingerprint.sh makes the same fingerprint of the same facts.
#>
[CmdletBinding(PositionalBinding = $false)]
param(
  # What it is made from, in lines of fields between tabs, instead of the fingerprint.
  [switch] $Facts,
  # A file with such lines, instead of this machine.
  [string] $From = ''
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

#region The decision: facts in, fingerprint out
# Of makers that wrote none. One digit, repeated, is a placeholder, too.
$PlaceholderUuids = @(
  '03000200-0400-0500-0006-000700080009'
  '00020003-0004-0005-0006-000700080009'
  '12345678-1234-5678-90ab-cddeefaabbcc'
  '12345678-1234-1234-1234-123456789abc'
  '01234567-89ab-cdef-0123-456789abcdef'
  '00112233-4455-6677-8899-aabbccddeeff'
  '11111111-2222-3333-4444-555555555555'
  'fefefefe-fefe-fefe-fefe-fefefefefefe'
)
$PlaceholderMacs = @('000000000001', '00e04c000000', '888888888788', '123456789abc', '001122334455', '02004c4f4f50')
# Where a card is part of the machine. On USB it belongs to a docking station; on ROOT or SWD it is made of software.
$OwnBuses = @('pci', 'virtio', 'vmbus', 'xen', 'xenvif', 'platform', 'acpi', 'sdio', 'sd')

function Test-OneDigit([string] $Text) { return $Text -cmatch '\A(.)\1*\z' }

function Test-OwnUuid([string] $Uuid) {
  return $Uuid -cmatch '\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z' -and
    -not (Test-OneDigit $Uuid.Replace('-', '')) -and $Uuid -cnotin $PlaceholderUuids
}

# An odd first byte is a group's address.
function Test-OwnCard([string] $Mac, [string] $Bus, [string] $Removable) {
  return $Mac -cmatch '\A[0-9a-f][02468ace][0-9a-f]{10}\z' -and -not (Test-OneDigit $Mac) -and $Mac -cnotin $PlaceholderMacs -and
    $Bus -cin $OwnBuses -and $Removable -cnotin @('removable', '3')
}

# ek: SHA-256 of the key; uuid; card: address, bus (or Windows' PnP id), removable or its policy of Windows, name.
function Get-Fingerprint([string[]] $Lines) {
  $ek = ''
  $uuid = ''
  $macs = [Collections.Generic.SortedSet[string]]::new([StringComparer]::Ordinal)
  foreach ($line in $Lines) {
    $fields = @($line.Replace("`r", '') -csplit "`t")
    $first = $fields.Count -gt 1 ? ($fields[1] -creplace '[ {}]', '').ToLowerInvariant() : ''
    switch -CaseSensitive ($fields[0]) {
      'ek' { $ek = $first }
      'uuid' { $uuid = $first }
      'card' {
        $mac = $first -creplace '[:.\-]', ''
        if ($fields.Count -gt 3 -and (Test-OwnCard $mac ($fields[2] -csplit '\\')[0].ToLowerInvariant() $fields[3])) { [void] $macs.Add($mac) }
      }
    }
  }
  if ($ek -cmatch '\A[0-9a-f]{64}\z' -and -not (Test-OneDigit $ek)) { $seed = @('tpm', $ek) }
  elseif ($macs.Count -eq 0) {
    throw 'no TPM 2.0, and no network card that is part of this machine: nothing tells it from others. -Facts shows what was found.'
  }
  elseif (Test-OwnUuid $uuid) { $seed = @('machine', $uuid) + @($macs) }
  else { $seed = @('cards') + @($macs) }
  $bytes = [Text.Encoding]::UTF8.GetBytes((@($seed) -join "`n") + "`n")
  return "$($seed[0]):$([Convert]::ToHexString([Security.Cryptography.SHA256]::HashData($bytes)).ToLowerInvariant())"
}
#endregion

#region The facts, from Windows
function Read-EndorsementKey {
  if (-not (Get-Tpm).TpmPresent) { return }
  $key = Get-TpmEndorsementKeyInfo -HashAlgorithm sha256
  if (-not $key.IsPresent) { throw 'this machine has a TPM whose endorsement key cannot be read; Get-Tpm says more.' }
  "ek`t$($key.PublicKeyHash)"
}

function Read-Uuid { "uuid`t$((Get-CimInstance -ClassName Win32_ComputerSystemProduct -Property UUID).UUID)" }

function Read-Cards {
  foreach ($card in Get-NetAdapter -Physical) {
    $policy = (Get-PnpDeviceProperty -InstanceId $card.PnPDeviceID -KeyName DEVPKEY_Device_RemovalPolicy -ErrorAction SilentlyContinue)?.Data
    "card`t$($card.PermanentAddress ? $card.PermanentAddress : '-')`t$($card.PnPDeviceID)`t$($policy ? $policy : 'unknown')`t$($card.InterfaceDescription)"
  }
}

function Read-Facts {
  Read-EndorsementKey
  Read-Uuid
  Read-Cards
}
#endregion

# Read in by a dot, it only defines its functions.
if ($MyInvocation.InvocationName -eq '.') { return }
try {
  $lines = @($From ? [IO.File]::ReadAllLines($From) : (Read-Facts))
  if ($Facts) { $lines } else { Get-Fingerprint $lines }
}
catch {
  [Console]::Error.WriteLine("fingerprint.ps1: $($_.Exception.Message)")
  exit 1
}
