# The commands of Windows that fingerprint.ps1 asks, as a machine without a TPM answers.
function Get-Tpm { [pscustomobject] @{ TpmPresent = $false } }
function Get-TpmEndorsementKeyInfo { throw 'no TPM' }
function Get-CimInstance([string] $ClassName, [string] $Property) { [pscustomobject] @{ UUID = '4C4C4544-0035-3510-8052-B4C04F4E3132' } }
function Get-NetAdapter([switch] $Physical) {
  [pscustomobject] @{ PermanentAddress = '8CEC4BA1020F'; PnPDeviceID = 'PCI\VEN_8086&DEV_15F3'; InterfaceDescription = 'I225-LM' }
}
function Get-PnpDeviceProperty { [CmdletBinding()] param([string] $InstanceId, [string] $KeyName) [pscustomobject] @{ Data = 1 } }
# Everything belongs to the administrators, except for what has the name of somebody.
function Get-Acl([string] $LiteralPath) {
  [pscustomobject] @{ Sddl = (Split-Path -Leaf $LiteralPath) -like 'of-mallory*' ? 'O:S-1-5-21-1-2-3-1001G:DUD:' : "O:$($env:OWNER ?? 'BA')G:SYD:" }
}
