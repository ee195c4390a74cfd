#requires -Version 7.4
<#
.SYNOPSIS
Brings this Windows machine to the state that machine.json or machine.yaml describes.
.DESCRIPTION
The whole file is checked before anything changes, and all its faults are named at once. Then each resource is tested and, only if it
differs, set and tested again; one that fails does not keep the others from being done. A second run changes nothing.
Exit codes: 0 the machine is as the file says (with -WhatIf: could be compared with it); 1 something failed, the rest is done;
2 the file or the call is wrong, nothing was changed.
#>
[CmdletBinding(SupportsShouldProcess, PositionalBinding = $false)]
param(
  # JSON needs no module, YAML needs powershell-yaml. By default machine.json, else machine.yaml, beside this script.
  [string] $Path = '',
  # One JSON document instead of lines.
  [switch] $Json,
  # For joining a domain; otherwise GO_WIN_CONFIG_USER and GO_WIN_CONFIG_PASSWORD. Never in the file.
  [pscredential] $Credential = [pscredential]::Empty,
  [Parameter(ValueFromRemainingArguments)] [object[]] $Rest
)
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$SourceName = 'go-win-tools'

#region The file: the feed, packages and PATH. ValidateNotNull marks what must be given.
# Classes of data without methods, whose compiled bodies would keep to the classes of the first run in a session.
class Part { }

class Feed : Part {
  [ValidateNotNull()]
  [ValidatePattern('\Ahttps?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\z', Options = 'None', ErrorMessage = 'expected a plain http or https address')]
  [string] $url
  [ValidatePattern('\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z', Options = 'None', ErrorMessage = 'expected up to 64 letters, digits and . _ -, the first a letter or digit')]
  [string] $clientId = [Environment]::MachineName
  [ValidatePattern('\A[a-z0-9][a-z0-9-]{0,31}\z', Options = 'None', ErrorMessage = 'expected up to 32 lower-case letters, digits and -')]
  [string] $ring
  [bool] $chocolatey
  [bool] $scoop
}

class EnvironmentVariable : Part {
  [ValidateNotNull()]
  [ValidatePattern('\A[A-Za-z_][A-Za-z0-9_]{0,127}\z', Options = 'None', ErrorMessage = 'expected letters, digits and _')]
  [string] $name
  [ValidateNotNull()] [ValidateLength(1, 2047)]
  [string] $value
  [ValidateSet('Machine', 'User', IgnoreCase = $false)]
  [string] $scope = 'Machine'
}

class SearchPath : Part {
  [ValidateSet('Machine', 'User', IgnoreCase = $false)]
  [string] $scope = 'Machine'
  [ValidateNotNull()]
  [ValidatePattern('\A[A-Za-z]:\\[^;%"<>|?*]+\z', Options = 'None', ErrorMessage = 'expected a whole path such as C:\Tools, without ; and %')]
  [string] $shims
  [ValidatePattern('\A[A-Za-z]:\\[^;%"<>|?*]+\z', Options = 'None', ErrorMessage = 'expected a whole path such as C:\Tools, without ; and %')]
  [string[]] $folders = @()
}

class Package : Part {
  [ValidateNotNull()]
  [ValidatePattern('\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\z', Options = 'None', ErrorMessage = 'expected the id of a package')]
  [string] $name
  [ValidateNotNull()]
  [ValidatePattern('\A[0-9]{1,9}(\.[0-9]{1,9}){2,3}(-[0-9A-Za-z]+(\.[0-9A-Za-z]+){0,8})?\z', Options = 'None', ErrorMessage = 'expected an exact version such as 1.22.0')]
  [string] $version
  [ValidateNotNull()] [ValidateSet('Chocolatey', 'Scoop', IgnoreCase = $false)]
  [string] $by
}
#endregion

#region The file: Windows' own resources, and the whole
class Join : Part {
  [ValidateNotNull()] [ValidateSet('Domain', 'Workgroup', 'Standalone', IgnoreCase = $false)]
  [string] $mode
  [ValidatePattern('\A[A-Za-z0-9][A-Za-z0-9.-]{0,254}\z', Options = 'None', ErrorMessage = 'expected the name of a domain or workgroup')]
  [string] $name
  [ValidateLength(1, 1024)]
  [string] $ou
}

class WinRm : Part {
  [ValidateNotNull()] [ValidateSet('HTTP', 'HTTPS', IgnoreCase = $false)]
  [string] $transport
  [ValidateNotNull()] [ValidateRange(1, 65535)]
  [int] $port
  [ValidatePattern('\A[0-9A-Fa-f]{40}\z', ErrorMessage = 'expected the thumbprint of a certificate, 40 hex digits')]
  [string] $certificate
}

class Certificate : Part {
  [ValidateNotNull()] [ValidateLength(1, 260)]
  [string] $file
  [ValidateNotNull()]
  [ValidatePattern('\A[0-9a-f]{64}\z', Options = 'None', ErrorMessage = 'expected the SHA-256 of the certificate (DER), 64 lower-case hex digits')]
  [string] $sha256
  [ValidateNotNull()] [ValidateSet('Root', 'CA', 'TrustedPublisher', 'TrustedPeople', IgnoreCase = $false)]
  [string] $store
  [ValidateSet('LocalMachine', 'CurrentUser', IgnoreCase = $false)]
  [string] $location = 'LocalMachine'
}

class ServiceState : Part {
  [ValidateNotNull()]
  [ValidatePattern('\A[A-Za-z0-9][A-Za-z0-9._-]{0,255}\z', Options = 'None', ErrorMessage = 'expected the name of a service, not its title')]
  [string] $name
  [ValidateNotNull()] [ValidateSet('Automatic', 'Manual', 'Disabled', IgnoreCase = $false)]
  [string] $startup
  [ValidateNotNull()] [ValidateSet('Running', 'Stopped', IgnoreCase = $false)]
  [string] $state
}

class RegistryValue : Part {
  [ValidateNotNull()]
  [ValidatePattern('\A(HKLM|HKCU)(\\[^\\]{1,255})+\z', Options = 'None', ErrorMessage = 'expected a key below HKLM\ or HKCU\')]
  [string] $key
  # '' is the value without a name.
  [ValidateNotNull()] [ValidateLength(0, 255)]
  [string] $name
  [ValidateNotNull()] [ValidateSet('String', 'ExpandString', 'MultiString', 'DWord', 'QWord', IgnoreCase = $false)]
  [string] $type
  [ValidateNotNull()]
  [object] $value
}
#endregion

#region The file: the whole
class Machine : Part {
  [ValidateNotNull()] [ValidateRange(1, 1)]
  [int] $version
  [Feed] $feed
  [EnvironmentVariable[]] $environment = @()
  [Certificate[]] $certificates = @()
  [RegistryValue[]] $registry = @()
  [ServiceState[]] $services = @()
  [WinRm] $winrm
  [Package[]] $packages = @()
  [SearchPath] $path
  [Join] $join
}
#endregion

#region What no single field can say: field = fault
# A ring is a pattern of client ids on the server, such as office-*.
function Get-ClientId($Feed) { return ($Feed.ring ? "$($Feed.ring)-$($Feed.clientId)" : $Feed.clientId).ToLowerInvariant() }

# The shims are first, or they decide nothing.
function Get-WantedFolders($Item) { return @(@($Item.shims) + $Item.folders | ForEach-Object { $_.TrimEnd('\') }) }

function Get-FeedFaults($Feed) {
  $length = (Get-ClientId $Feed).Length
  if ($length -gt 64) { return @{ clientId = "expected at most 64 characters together with the ring, found $length" } }
}

function Get-JoinFaults($Join) {
  $found = @{}
  if ($Join.mode -eq 'Standalone' -and $Join.name) { $found.name = 'expected no name for the mode Standalone' }
  if ($Join.mode -ne 'Standalone' -and -not $Join.name) { $found.name = "is missing: the mode $($Join.mode) needs it" }
  if ($Join.mode -ne 'Domain' -and $Join.ou) { $found.ou = 'expected no ou for any mode other than Domain' }
  return $found
}

function Get-WinRmFaults($WinRm) {
  if ($WinRm.transport -eq 'HTTPS' -and -not $WinRm.certificate) { return @{ certificate = 'is missing: HTTPS needs it' } }
  if ($WinRm.transport -eq 'HTTP' -and $WinRm.certificate) { return @{ certificate = 'expected none for HTTP' } }
}

function Get-SearchPathFaults($Item) {
  $order = @(Get-WantedFolders $Item)
  if (@($order | Sort-Object -Unique).Count -ne $order.Count) { return @{ folders = 'expected each folder once' } }
}

function Get-RegistryFaults($Item) {
  $is = $Item.value
  $fault = switch ($Item.type) {
    { $_ -in 'String', 'ExpandString' } { if ($is -isnot [string]) { 'expected text' } }
    'MultiString' { if ($is -isnot [string[]]) { 'expected a list of texts' } }
    'DWord' { if ($is -isnot [long] -or $is -lt 0 -or $is -gt [uint]::MaxValue) { 'expected a whole number from 0 to 4294967295' } }
    'QWord' { if ($is -isnot [long] -or $is -lt 0 -or $is -gt 9007199254740991) { 'expected a whole number from 0 to 9007199254740991' } }
  }
  if ($fault) { return @{ value = "$fault for the type $($Item.type)" } }
}

function Get-PartFaults([string] $Class, $Part) {
  switch ($Class) {
    'Feed' { return Get-FeedFaults $Part }
    'Join' { return Get-JoinFaults $Part }
    'WinRm' { return Get-WinRmFaults $Part }
    'SearchPath' { return Get-SearchPathFaults $Part }
    'RegistryValue' { return Get-RegistryFaults $Part }
    'EnvironmentVariable' { if ($Part.name -eq 'Path') { return @{ name = 'PATH has a part of its own: path' } } }
    'ServiceState' { if ($Part.startup -eq 'Disabled' -and $Part.state -eq 'Running') { return @{ state = 'expected Stopped: a disabled service does not start' } } }
    'Machine' { if ($Part.packages.Count -gt 0 -and $null -eq $Part.feed) { return @{ feed = 'is missing: the packages come from it' } } }
  }
}
#endregion

#region Faults: each with its path in the file (RFC 6901)
function Add-Fault($Faults, [string] $At, [string] $Text) { $Faults.Add([pscustomobject]@{ path = $At; fault = $Text }) }

function Get-Attribute($Property, [type] $Type) { return $Property.GetCustomAttributes($Type, $false) | Select-Object -First 1 }

# The same attributes that refuse a value say what was expected.
function Get-Expectation($Property) {
  $set = Get-Attribute $Property ([ValidateSet])
  if ($set) { return "expected $($set.ValidValues -join ' or ')" }
  $range = Get-Attribute $Property ([ValidateRange])
  if ($range -and $range.MinRange -eq $range.MaxRange) { return "expected $($range.MinRange)" }
  if ($range) { return "expected a whole number from $($range.MinRange) to $($range.MaxRange)" }
  $pattern = Get-Attribute $Property ([ValidatePattern])
  if ($pattern) { return $pattern.ErrorMessage }
  $length = Get-Attribute $Property ([ValidateLength])
  if ($length) { return "expected $($length.MinLength) to $($length.MaxLength) characters" }
  return 'expected another value'
}
#endregion

#region Reading values: each with the type that its class gives it
# Without a type of its own: text, a whole number, or a list of texts. Anything else is $null.
function Read-AnyValue($Element) {
  $number = 0L
  switch ("$($Element.ValueKind)") {
    'String' { return $Element.GetString() }
    'Number' { if ($Element.TryGetInt64([ref] $number)) { return $number } }
    'Array' {
      $items = @($Element.EnumerateArray())
      if (@($items | Where-Object { "$($_.ValueKind)" -ne 'String' }).Count -eq 0) { return , [string[]]@($items | ForEach-Object { $_.GetString() }) }
    }
  }
}

function Read-List([type] $Type, $Element, [string] $At, $Faults) {
  $index = 0
  foreach ($item in $Element.EnumerateArray()) {
    Read-Value $Type $item "$At/$index" $Faults
    $index++
  }
}

# Nothing is converted: 5986 is no text and "5986" no number.
function Read-Value([type] $Type, $Element, [string] $At, $Faults) {
  $kind = "$($Element.ValueKind)"
  $number = 0
  if ($Type.IsArray) {
    if ($kind -eq 'Array') { return , @(Read-List $Type.GetElementType() $Element $At $Faults) }
    return Add-Fault $Faults $At 'expected a list'
  }
  if ("$($Type.BaseType)" -eq 'Part') { return Read-Part $Type $Element $At $Faults }
  if ($Type -eq [string]) {
    if ($kind -eq 'String') { return $Element.GetString() }
    return Add-Fault $Faults $At 'expected text'
  }
  if ($Type -eq [bool]) {
    if ($kind -in 'True', 'False') { return $kind -eq 'True' }
    return Add-Fault $Faults $At 'expected true or false'
  }
  if ($Type -eq [int]) {
    if ($kind -eq 'Number' -and $Element.TryGetInt32([ref] $number)) { return $number }
    return Add-Fault $Faults $At 'expected a whole number'
  }
  $any = Read-AnyValue $Element
  if ($null -eq $any) { return Add-Fault $Faults $At 'expected text, a whole number or a list of texts' }
  return , $any
}
#endregion

#region Reading parts: JSON to the classes above
# Each item of a list alone, so that the path names the one that is wrong.
function Set-Field($Target, $Property, $Value, [string] $At, $Faults) {
  $name = $Property.Name
  if ($Property.PropertyType -eq [string[]]) {
    for ($index = 0; $index -lt $Value.Count; $index++) {
      try { $Target.$name = @($Value[$index]) }
      catch { Add-Fault $Faults "$At/$index" (Get-Expectation $Property) }
    }
  }
  try { $Target.$name = $Value }
  catch { if ($Property.PropertyType -ne [string[]]) { Add-Fault $Faults $At (Get-Expectation $Property) } }
}

function Read-Field($Target, [type] $Type, $Field, [string] $At, $Faults) {
  $property = $Type.GetProperty($Field.Name)
  $place = "$At/$($Field.Name.Replace('~', '~0').Replace('/', '~1'))"
  if ($null -eq $property) {
    $text = "is unknown, expected only $(@($Type.GetProperties().Name) -join ', ')"
    if ($Field.Name -match 'password|secret|credential') { $text = 'is refused: a password comes from -Credential or GO_WIN_CONFIG_PASSWORD, never from the file' }
    return Add-Fault $Faults $place $text
  }
  $before = $Faults.Count
  $value = Read-Value $property.PropertyType $Field.Value $place $Faults
  if ($Faults.Count -eq $before) { Set-Field $Target $property $value $place $Faults }
}

function Read-Part([type] $Type, $Element, [string] $At, $Faults) {
  if ("$($Element.ValueKind)" -ne 'Object') { return Add-Fault $Faults $At 'expected an object' }
  $before = $Faults.Count
  $part = $Type::new()
  $seen = [Collections.Generic.HashSet[string]]::new()
  foreach ($field in $Element.EnumerateObject()) {
    if (-not $seen.Add($field.Name)) { Add-Fault $Faults "$At/$($field.Name)" 'is there twice'; continue }
    # For editors.
    if ($At -eq '' -and $field.Name -ceq '$schema') { continue }
    Read-Field $part $Type $field $At $Faults
  }
  foreach ($property in $Type.GetProperties()) {
    if ((Get-Attribute $property ([ValidateNotNull])) -and -not $seen.Contains($property.Name)) { Add-Fault $Faults "$At/$($property.Name)" 'is missing' }
  }
  if ($Faults.Count -gt $before) { return }
  $more = Get-PartFaults $Type.Name $part
  if ($more) { foreach ($name in $more.Keys | Sort-Object) { Add-Fault $Faults "$At/$name" $more[$name] } }
  return $part
}
#endregion

#region Reading files: JSON, or YAML by a module
function ConvertFrom-YamlText([string] $Text) {
  if (-not (Get-Module -ListAvailable -Name powershell-yaml)) {
    throw 'YAML needs the module powershell-yaml. Expected it, or the same in a machine.json, which needs no module.'
  }
  Import-Module powershell-yaml
  return ConvertTo-Json -InputObject (ConvertFrom-Yaml -Yaml $Text -Ordered) -Depth 20
}

function Get-MachineFile([string] $Given, [string] $Folder) {
  if ($Given) { return $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Given) }
  $json = Join-Path $Folder 'machine.json'
  if (Test-Path -LiteralPath $json) { return $json }
  return Join-Path $Folder 'machine.yaml'
}

# No parameter has one of the classes as its type: a second run in the same session has new classes of the same names.
# Answers with a Machine, and adds what is wrong to $Faults.
function Read-Machine([string] $File, $Faults) {
  try {
    $text = [IO.File]::ReadAllText($File)
    if ($File -match '\.ya?ml\z') { $text = ConvertFrom-YamlText $text }
    $document = [Text.Json.JsonDocument]::Parse($text)
  } catch { return Add-Fault $Faults '' "$File cannot be read: $($_.Exception.GetBaseException().Message)" }
  $machine = Read-Part ([Machine]) $document.RootElement '' $Faults
  if ($null -eq $machine) { return }
  $seen = @{}
  foreach ($resource in Get-Resources $machine) {
    if ($seen.ContainsKey($resource.Name)) { Add-Fault $Faults $resource.Path "is there twice: $($resource.Name), as $($seen[$resource.Name])" }
    $seen[$resource.Name] = $resource.Path
  }
  return $machine
}
#endregion

#region Windows itself: registry, stores and folders. Nothing outside of these three regions touches it, so that tests can stand in for it
function Test-OnWindows { return $IsWindows }

# A 32-bit PowerShell has a view of its own, which nobody else would read.
function Use-RegistryKey([string] $Key, [bool] $IsNew, [scriptblock] $Work) {
  $hive, $rest = $Key -split '\\', 2
  $root = @{ HKLM = 'LocalMachine'; HKCU = 'CurrentUser' }[$hive]
  $base = [Microsoft.Win32.RegistryKey]::OpenBaseKey($root, 'Registry64')
  try {
    $opened = $IsNew ? $base.CreateSubKey($rest) : $base.OpenSubKey($rest)
    if ($null -eq $opened) { return }
    try { & $Work $opened } finally { $opened.Dispose() }
  } finally { $base.Dispose() }
}

# $null, or its type and its data as it is stored.
function Read-RegistryData([string] $Key, [string] $Name) {
  Use-RegistryKey $Key $false {
    param($Opened)
    if ($Opened.GetValueNames() -notcontains $Name) { return }
    @{ Type = "$($Opened.GetValueKind($Name))"; Data = $Opened.GetValue($Name, $null, 'DoNotExpandEnvironmentNames') }
  }
}

function Write-RegistryData([string] $Key, [string] $Name, [string] $Type, $Data) {
  Use-RegistryKey $Key $true { param($Opened) $Opened.SetValue($Name, $Data, [Microsoft.Win32.RegistryValueKind] $Type) }
}

# Tells open windows, as every change of a variable does.
function Send-EnvironmentChange { [Environment]::SetEnvironmentVariable('GO_WIN_TOOLS_CHANGED', [NullString]::Value, 'User') }

function Test-Folder([string] $Folder) { return Test-Path -LiteralPath $Folder -PathType Container }

function Get-StoredCertificates([string] $Location, [string] $Store) {
  $opened = [Security.Cryptography.X509Certificates.X509Store]::new($Store, $Location)
  try {
    $opened.Open('ReadOnly')
    return @($opened.Certificates | ForEach-Object { $_.GetCertHashString('SHA256') })
  } finally { $opened.Dispose() }
}

function Add-StoredCertificate([string] $Location, [string] $Store, $Certificate) {
  $opened = [Security.Cryptography.X509Certificates.X509Store]::new($Store, $Location)
  try {
    $opened.Open('ReadWrite')
    $opened.Add($Certificate)
  } finally { $opened.Dispose() }
}
#endregion

#region Windows itself: services, WinRM and join mode
function Get-ServiceNow([string] $Name) {
  $service = Get-Service -Name $Name
  return @{ Startup = "$($service.StartType)"; State = "$($service.Status)" }
}

function Set-ServiceNow([string] $Name, [string] $Startup, [string] $State) {
  Set-Service -Name $Name -StartupType $Startup
  if ($State -eq 'Running') { Start-Service -Name $Name }
  else { Stop-Service -Name $Name -Force }
}

function Get-Listener([string] $Transport) {
  $found = Get-WSManInstance -ResourceURI winrm/config/Listener -Enumerate | Where-Object { $_.Transport -eq $Transport -and $_.Address -eq '*' } | Select-Object -First 1
  if ($found) { return @{ Port = [int] $found.Port; Certificate = "$($found.CertificateThumbprint)" } }
}

function Set-Listener([string] $Transport, [hashtable] $Values, [bool] $IsNew) {
  $where = @{ ResourceURI = 'winrm/config/Listener'; SelectorSet = @{ Address = '*'; Transport = $Transport }; ValueSet = $Values }
  if ($IsNew) { [void](New-WSManInstance @where) }
  else { [void](Set-WSManInstance @where) }
}

function Get-JoinNow {
  $computer = Get-CimInstance -ClassName Win32_ComputerSystem
  return @{ IsDomain = [bool] $computer.PartOfDomain; Name = $computer.PartOfDomain ? $computer.Domain : $computer.Workgroup }
}

# PowerShell 7 has no Add-Computer. The method takes the password in memory; no command line has it.
function Invoke-JoinMethod([string] $Method, [hashtable] $Arguments) {
  $answer = Get-CimInstance -ClassName Win32_ComputerSystem | Invoke-CimMethod -MethodName $Method -Arguments $Arguments
  if ($answer.ReturnValue -ne 0) { throw "$Method failed with error $($answer.ReturnValue) of Windows; net helpmsg $($answer.ReturnValue) explains it." }
}
#endregion

#region Windows itself: programs
# The only place that starts programs: a list of arguments, never a line.
function Invoke-Program([string] $Program, [string[]] $Arguments, [int[]] $Success = @(0)) {
  $PSNativeCommandUseErrorActionPreference = $false
  $ErrorActionPreference = 'Continue'
  $said = @(& $Program @Arguments 2>&1 | ForEach-Object { "$_" })
  if ($LASTEXITCODE -in $Success) { return }
  $last = @($said | Where-Object { $_.Trim() } | Select-Object -Last 5) -join ' '
  throw "$(Split-Path -Leaf $Program) $($Arguments -join ' ') ended with exit code $LASTEXITCODE. $last"
}
#endregion

#region Environment, PATH and registry
$EnvironmentKeys = @{ Machine = 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'; User = 'HKCU\Environment' }

function Test-EnvironmentVariable($Item) {
  $now = Read-RegistryData $EnvironmentKeys[$Item.scope] $Item.name
  return $null -ne $now -and $now.Data -ceq $Item.value
}

function Set-EnvironmentVariable($Item) {
  $type = $Item.value.Contains('%') ? 'ExpandString' : 'String'
  Write-RegistryData $EnvironmentKeys[$Item.scope] $Item.name $type $Item.value
  Send-EnvironmentChange
}

function Get-PathFolders([string] $Scope) {
  $now = Read-RegistryData $EnvironmentKeys[$Scope] 'Path'
  if ($null -ne $now) { return @("$($now.Data)" -split ';' | Where-Object { $_ } | ForEach-Object { $_.TrimEnd('\') }) }
}

function Test-SearchPath($Item) {
  $order = @(Get-WantedFolders $Item)
  $now = @(Get-PathFolders $Item.scope)
  $first = @($now | Select-Object -First $order.Count)
  $others = @($now | Select-Object -Skip $order.Count)
  return ($first -join ';') -eq ($order -join ';') -and @($others | Where-Object { $_ -in $order }).Count -eq 0
}

function Set-SearchPath($Item) {
  if (-not (Test-Folder $Item.shims)) { throw "there is no folder $($Item.shims). Install the package go-win-shims first, for example under packages." }
  $order = @(Get-WantedFolders $Item)
  $others = @(Get-PathFolders $Item.scope | Where-Object { $_ -notin $order })
  Write-RegistryData $EnvironmentKeys[$Item.scope] 'Path' 'ExpandString' (($order + $others) -join ';')
  Send-EnvironmentChange
}

# Windows keeps a DWord as a signed number.
function ConvertTo-RegistryData($Item) {
  if ($Item.type -eq 'DWord') { return [BitConverter]::ToInt32([BitConverter]::GetBytes([uint] $Item.value), 0) }
  return , $Item.value
}

function Test-RegistryValue($Item) {
  $now = Read-RegistryData $Item.key $Item.name
  if ($null -eq $now -or $now.Type -ne $Item.type) { return $false }
  $data = ConvertTo-RegistryData $Item
  $wanted = @($data)
  $found = @($now.Data)
  if ($found.Count -ne $wanted.Count) { return $false }
  for ($index = 0; $index -lt $wanted.Count; $index++) { if ($found[$index] -cne $wanted[$index]) { return $false } }
  return $true
}

function Set-RegistryValue($Item) { Write-RegistryData $Item.key $Item.name $Item.type (ConvertTo-RegistryData $Item) }
#endregion

#region Certificates, services, WinRM and join mode
function Test-Certificate($Item) { return (Get-StoredCertificates $Item.location $Item.store) -contains $Item.sha256 }

function Set-Certificate($Item, $Run) {
  $file = [IO.Path]::GetFullPath($Item.file, $Run.Folder)
  $bytes = [IO.File]::ReadAllBytes($file)
  # Not a container, which could bring a private key along.
  if ([Security.Cryptography.X509Certificates.X509Certificate2]::GetCertContentType($bytes) -ne 'Cert') { throw "$file is not a certificate: expected DER or PEM." }
  $certificate = [Security.Cryptography.X509Certificates.X509Certificate2]::new($bytes)
  $found = $certificate.GetCertHashString('SHA256').ToLowerInvariant()
  if ($found -ne $Item.sha256) { throw "$file has the SHA-256 $found, expected $($Item.sha256)." }
  Add-StoredCertificate $Item.location $Item.store $certificate
}

function Test-ServiceState($Item) {
  $now = Get-ServiceNow $Item.name
  return $now.Startup -eq $Item.startup -and $now.State -eq $Item.state
}

function Set-ServiceState($Item) { Set-ServiceNow $Item.name $Item.startup $Item.state }

function Test-WinRm($Item) {
  $now = Get-Listener $Item.transport
  return $null -ne $now -and $now.Port -eq $Item.port -and $now.Certificate -eq "$($Item.certificate)"
}

function Set-WinRm($Item) {
  $values = @{ Port = $Item.port }
  if ($Item.certificate) { $values.CertificateThumbprint = $Item.certificate }
  Set-Listener $Item.transport $values ($null -eq (Get-Listener $Item.transport))
}

function Test-Join($Item) {
  $now = Get-JoinNow
  if ($Item.mode -eq 'Standalone') { return -not $now.IsDomain }
  return $now.IsDomain -eq ($Item.mode -eq 'Domain') -and $now.Name -eq $Item.name
}

function Set-Join($Item, $Run) {
  if ($Item.mode -eq 'Domain') {
    if (-not $Run.Credential.UserName) { throw 'joining a domain needs -Credential, or GO_WIN_CONFIG_USER and GO_WIN_CONFIG_PASSWORD.' }
    # 1 a domain, 2 with a new account, 32 also from another domain (NetJoinDomain).
    $arguments = @{ Name = $Item.name; UserName = $Run.Credential.UserName; Password = $Run.Credential.GetNetworkCredential().Password; FJoinOptions = [uint] 35 }
    if ($Item.ou) { $arguments.AccountOU = $Item.ou }
    return Invoke-JoinMethod 'JoinDomainOrWorkgroup' $arguments
  }
  if ((Get-JoinNow).IsDomain) { Invoke-JoinMethod 'UnjoinDomainOrWorkgroup' @{ FUnjoinOptions = [uint] 0 } }
  if ($Item.mode -eq 'Workgroup') { Invoke-JoinMethod 'JoinDomainOrWorkgroup' @{ Name = $Item.name; FJoinOptions = [uint] 0 } }
}
#endregion

#region Chocolatey
function Get-ChocoRoot {
  $root = $env:ChocolateyInstall ? $env:ChocolateyInstall : (Join-Path "$env:ProgramData" 'chocolatey')
  if (-not (Test-Path -LiteralPath (Join-Path $root 'bin\choco.exe'))) { throw "Chocolatey is not installed in ${root}: https://chocolatey.org/install" }
  return $root
}

# 2 is "nothing to do", the others are successes of installers; what counts is the test afterwards.
function Invoke-Choco([string[]] $Arguments) { Invoke-Program (Join-Path (Get-ChocoRoot) 'bin\choco.exe') $Arguments @(0, 2, 1605, 1614, 1641, 3010) }

function Get-FeedAddress($Feed) { return "$($Feed.url.TrimEnd('/'))/nuget/c/$(Get-ClientId $Feed)" }

function Test-ChocolateySource($Feed) {
  $file = Join-Path (Get-ChocoRoot) 'config\chocolatey.config'
  if (-not (Test-Path -LiteralPath $file)) { return $false }
  $xml = [Xml.XmlDocument]::new()
  $xml.XmlResolver = $null
  $xml.Load($file)
  $own = $xml.SelectNodes('/chocolatey/sources/source') | Where-Object { $_.GetAttribute('id') -eq $SourceName } | Select-Object -First 1
  return $null -ne $own -and $own.GetAttribute('value').TrimEnd('/') -eq (Get-FeedAddress $Feed) -and $own.GetAttribute('disabled') -ne 'true'
}

function Set-ChocolateySource($Feed) {
  Invoke-Choco @('source', 'add', "--name=$SourceName", "--source=$(Get-FeedAddress $Feed)", '--yes')
  Invoke-Choco @('source', 'enable', "--name=$SourceName", '--yes')
}

function Get-ChocoVersion([string] $Name) {
  $file = Join-Path (Get-ChocoRoot) "lib\$Name\$Name.nuspec"
  if (-not (Test-Path -LiteralPath $file)) { return '' }
  $xml = [Xml.XmlDocument]::new()
  $xml.XmlResolver = $null
  $xml.Load($file)
  return $xml.SelectSingleNode('/*[local-name()="package"]/*[local-name()="metadata"]/*[local-name()="version"]').InnerText
}

function Install-ByChoco($Item) {
  # Installs what is missing, too.
  Invoke-Choco @('upgrade', $Item.name, "--version=$($Item.version)", '--allow-downgrade', "--source=$SourceName", '--yes', '--no-progress')
}
#endregion

#region Scoop
function Get-ScoopRoot {
  $root = $env:SCOOP ? $env:SCOOP : (Join-Path "$env:USERPROFILE" 'scoop')
  if (-not (Test-Path -LiteralPath (Join-Path $root 'apps\scoop\current\bin\scoop.ps1'))) { throw "Scoop is not installed in $root for this user: https://scoop.sh" }
  return $root
}

# Scoop's exit code is always 0; what counts is the test afterwards.
function Invoke-Scoop([string[]] $Arguments) {
  $script = Join-Path (Get-ScoopRoot) 'apps\scoop\current\bin\scoop.ps1'
  Invoke-Program (Join-Path $PSHOME 'pwsh.exe') (@('-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-File', $script) + $Arguments)
}

function Get-BucketAddress($Feed) { return "$($Feed.url.TrimEnd('/'))/git/c/$(Get-ClientId $Feed)/$SourceName.git" }

function Get-BucketFolder { return Join-Path (Get-ScoopRoot) "buckets\$SourceName" }

function Test-ScoopBucket($Feed) {
  $file = Join-Path (Get-BucketFolder) '.git\config'
  if (-not (Test-Path -LiteralPath $file)) { return $false }
  return [IO.File]::ReadAllText($file) -match '(?m)^\s*url\s*=\s*(\S+)\s*$' -and $Matches[1] -eq (Get-BucketAddress $Feed)
}

function Set-ScoopBucket($Feed) {
  # Asked first, so that a bucket is never given up for one that does not answer.
  Invoke-Program 'git' @('ls-remote', '--exit-code', (Get-BucketAddress $Feed), 'HEAD')
  if (Test-Path -LiteralPath (Get-BucketFolder)) { Invoke-Scoop @('bucket', 'rm', $SourceName) }
  Invoke-Scoop @('bucket', 'add', $SourceName, (Get-BucketAddress $Feed))
}

function Get-ManifestVersion([string] $File) {
  if (-not (Test-Path -LiteralPath $File)) { return '' }
  $document = [Text.Json.JsonDocument]::Parse([IO.File]::ReadAllText($File))
  return $document.RootElement.GetProperty('version').GetString()
}

function Get-ScoopVersion([string] $Name) { return Get-ManifestVersion (Join-Path (Get-ScoopRoot) "apps\$Name\current\manifest.json") }

# NAME@VERSION would let Scoop make up a manifest, with a hash that nobody checked.
function Install-ByScoop($Item) {
  $manifest = Join-Path (Get-BucketFolder) "bucket\$($Item.name).json"
  if ((Get-ManifestVersion $manifest) -ne $Item.version) { Invoke-Scoop @('update') }
  $offered = Get-ManifestVersion $manifest
  if ($offered -ne $Item.version) { throw "the bucket offers $($offered ? "version $offered" : 'no such package'), expected $($Item.version). Scoop installs only what its bucket offers." }
  if (Get-ScoopVersion $Item.name) { Invoke-Scoop @('update', $Item.name) }
  else { Invoke-Scoop @('install', "$SourceName/$($Item.name)") }
}

function Test-Package($Item) {
  $now = $Item.by -eq 'Scoop' ? (Get-ScoopVersion $Item.name) : (Get-ChocoVersion $Item.name)
  return $now -eq $Item.version
}

function Set-Package($Item) {
  if ($Item.by -eq 'Scoop') { Install-ByScoop $Item }
  else { Install-ByChoco $Item }
}
#endregion

#region The run: resources in their order
$Kinds = @(
  @{ Field = 'environment'; Name = { "variable $($args[0].name) ($($args[0].scope))" }; Test = ${function:Test-EnvironmentVariable}; Set = ${function:Set-EnvironmentVariable} }
  @{ Field = 'certificates'; Name = { "certificate $($args[0].sha256.Substring(0, 12)) in $($args[0].location)\$($args[0].store)" }; Test = ${function:Test-Certificate}; Set = ${function:Set-Certificate} }
  @{ Field = 'registry'; Name = { "registry $($args[0].key), value '$($args[0].name)'" }; Test = ${function:Test-RegistryValue}; Set = ${function:Set-RegistryValue} }
  @{ Field = 'services'; Name = { "service $($args[0].name)" }; Test = ${function:Test-ServiceState}; Set = ${function:Set-ServiceState} }
  @{ Field = 'winrm'; Name = { "WinRM listener $($args[0].transport)" }; Test = ${function:Test-WinRm}; Set = ${function:Set-WinRm} }
  @{ Field = 'feed'; If = 'chocolatey'; Name = { "Chocolatey source $SourceName" }; Test = ${function:Test-ChocolateySource}; Set = ${function:Set-ChocolateySource} }
  @{ Field = 'feed'; If = 'scoop'; Name = { "Scoop bucket $SourceName" }; Test = ${function:Test-ScoopBucket}; Set = ${function:Set-ScoopBucket} }
  @{ Field = 'packages'; Name = { "package $($args[0].name) ($($args[0].by))" }; Test = ${function:Test-Package}; Set = ${function:Set-Package} }
  # After the packages, one of which brings the shims.
  @{ Field = 'path'; Name = { "PATH ($($args[0].scope))" }; Test = ${function:Test-SearchPath}; Set = ${function:Set-SearchPath} }
  # Last, since Windows wants a restart after it.
  @{ Field = 'join'; Name = { "join mode $($args[0].mode)" }; Test = ${function:Test-Join}; Set = ${function:Set-Join}; Restart = $true }
)

function Get-Resources($Machine) {
  foreach ($kind in $Kinds) {
    $value = $Machine.($kind.Field)
    $index = 0
    foreach ($item in @($value)) {
      if ($null -eq $item -or ($kind['If'] -and -not $item.($kind.If))) { continue }
      $at = $value -is [array] ? "/$($kind.Field)/$index" : "/$($kind.Field)$($kind['If'] ? "/$($kind.If)" : '')"
      @{ Path = $at; Name = & $kind.Name $item; Item = $item; Kind = $kind }
      $index++
    }
  }
}
#endregion

#region The run: one resource
# changed, unchanged, would change or failed.
function Invoke-Resource($Resource, $Run) {
  $result = [ordered]@{ path = $Resource.Path; name = $Resource.Name; state = 'unchanged' }
  $kind = $Resource.Kind
  try {
    if (& $kind.Test $Resource.Item) { return [pscustomobject] $result }
    $result.state = 'would change'
    if ($Run.IsDry) { return [pscustomobject] $result }
    [void](& $kind.Set $Resource.Item $Run)
    $result.state = 'changed'
    if (-not $kind['Restart'] -and -not (& $kind.Test $Resource.Item)) { throw 'no error was reported, but it still differs from the file.' }
  } catch {
    $result.state = 'failed'
    $result.error = Hide-Password $_.Exception.Message $Run.Credential
  }
  return [pscustomobject] $result
}

function Hide-Password([string] $Text, [pscredential] $Of) {
  $password = $Of.UserName ? $Of.GetNetworkCredential().Password : ''
  return $password ? $Text.Replace($password, '***') : $Text
}

function Get-JoinCredential([pscredential] $Given) {
  if ($Given.UserName -or -not $env:GO_WIN_CONFIG_USER -or -not $env:GO_WIN_CONFIG_PASSWORD) { return $Given }
  $secure = ConvertTo-SecureString -String $env:GO_WIN_CONFIG_PASSWORD -AsPlainText -Force
  return [pscredential]::new($env:GO_WIN_CONFIG_USER, $secure)
}

# The programs that are started get no password.
function Use-WithoutPassword([scriptblock] $Work) {
  $kept = $env:GO_WIN_CONFIG_PASSWORD
  $env:GO_WIN_CONFIG_PASSWORD = $null
  try { & $Work } finally { $env:GO_WIN_CONFIG_PASSWORD = $kept }
}
#endregion

#region The run: all of them, and what is said about it
function Invoke-Configuration([string] $File, [bool] $IsDry, [pscredential] $Given = [pscredential]::Empty) {
  $faults = [Collections.Generic.List[object]]::new()
  $machine = Read-Machine $File $faults
  if ($faults.Count -eq 0 -and -not (Test-OnWindows)) { Add-Fault $faults '' 'the file is valid, but this machine is not Windows' }
  $results = @()
  if ($faults.Count -eq 0) {
    $run = @{ IsDry = $IsDry; Folder = (Split-Path -Parent $File); Credential = (Get-JoinCredential $Given) }
    $results = @(Use-WithoutPassword { foreach ($resource in Get-Resources $machine) { Invoke-Resource $resource $run } })
  }
  $joined = @($results | Where-Object { $_.path -eq '/join' -and $_.state -eq 'changed' }).Count -gt 0
  $failed = @($results | Where-Object { $_.state -eq 'failed' }).Count -gt 0
  $code = $faults.Count -gt 0 ? 2 : [int] $failed
  return [pscustomobject][ordered]@{ file = $File; exitCode = $code; restart = $joined; faults = $faults.ToArray(); resources = $results }
}

function Get-Lines($Result) {
  foreach ($fault in $Result.faults) { "$($Result.file): $($fault.path ? "$($fault.path): " : '')$($fault.fault)" }
  foreach ($one in $Result.resources) { "$($one.state): $($one.name)$($one.state -eq 'failed' ? ": $($one.error)" : '')" }
  if ($Result.exitCode -eq 2) { return 'Nothing was changed.' }
  $counts = $Result.resources | Group-Object -Property state | ForEach-Object { "$($_.Count) $($_.Name)" }
  "$(@($counts) -join ', ')."
  if ($Result.restart) { 'Restart this machine: its join mode changed.' }
}
#endregion

# Read in by a dot, it only defines its functions.
if ($MyInvocation.InvocationName -eq '.') { return }
if ($Rest) {
  [Console]::Error.WriteLine('go-win-config.ps1: unexpected arguments, expected only -Path, -Json, -Credential, -WhatIf. Nothing was changed.')
  exit 2
}
$dry = [bool] $WhatIfPreference
# Decided above for whole resources; cmdlets are not to decide again.
$WhatIfPreference = $false
$result = Invoke-Configuration (Get-MachineFile $Path $PSScriptRoot) $dry $Credential
if ($Json) { ConvertTo-Json -InputObject $result -Depth 5 }
else { Get-Lines $result }
exit $result.exitCode
