# Stands in for Windows after go-win-config.ps1 was read in: everything in its regions "Windows itself" is replaced, nothing else.
# $Fake is the machine; $Broken names what fails on it.
$Fake = @{
  Registry = @{
    'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment|Path' = @{ Type = 'ExpandString'; Data = '%SystemRoot%\system32;C:\Go\bin\;C:\Old' }
  }
  Stores = @{}
  Services = @{ WinRM = @{ Startup = 'Manual'; State = 'Stopped' } }
  Listeners = @{}
  Join = @{ IsDomain = $false; Name = 'WORKGROUP' }
  Folders = @('C:\ProgramData\chocolatey\lib\go-win-shims\tools')
  Writes = [Collections.Generic.List[string]]::new()
  Programs = [Collections.Generic.List[object]]::new()
  # What the fake bucket offers.
  Offers = @{ buf = '1.32.0' }
}
$Broken = @{}

function Write-Fake([string] $What) {
  if ($Broken.ContainsKey($What)) { throw $Broken[$What] }
  $Fake.Writes.Add($What)
}

function Test-OnWindows { return $true }
function Read-RegistryData([string] $Key, [string] $Name) { return $Fake.Registry["$Key|$Name"] }
function Write-RegistryData([string] $Key, [string] $Name, [string] $Type, $Data) {
  Write-Fake "registry $Name"
  $Fake.Registry["$Key|$Name"] = @{ Type = $Type; Data = $Data }
}
function Send-EnvironmentChange { $Fake.Announced = $true }
function Test-Folder([string] $Folder) { return $Folder -in $Fake.Folders }
function Get-StoredCertificates([string] $Location, [string] $Store) { return @($Fake.Stores["$Location|$Store"]) }
function Add-StoredCertificate([string] $Location, [string] $Store, $Certificate) {
  Write-Fake "certificate $Store"
  $Fake.Stores["$Location|$Store"] = @($Fake.Stores["$Location|$Store"]) + $Certificate.GetCertHashString('SHA256')
}
function Get-ServiceNow([string] $Name) {
  if (-not $Fake.Services.ContainsKey($Name)) { throw "Cannot find any service with service name '$Name'." }
  return $Fake.Services[$Name]
}
function Set-ServiceNow([string] $Name, [string] $Startup, [string] $State) {
  Write-Fake "service $Name"
  $Fake.Services[$Name] = @{ Startup = $Startup; State = $State }
}
function Get-Listener([string] $Transport) { return $Fake.Listeners[$Transport] }
function Set-Listener([string] $Transport, [hashtable] $Values, [bool] $IsNew) {
  Write-Fake "listener $Transport"
  if ($IsNew -eq $Fake.Listeners.ContainsKey($Transport)) { throw 'wrong method for this listener' }
  $Fake.Listeners[$Transport] = @{ Port = $Values.Port; Certificate = "$($Values['CertificateThumbprint'])" }
}
function Get-JoinNow { return $Fake.Join }
function Invoke-JoinMethod([string] $Method, [hashtable] $Arguments) {
  Write-Fake "join $Method"
  $Fake.JoinArguments = $Arguments
  if ($Method -eq 'UnjoinDomainOrWorkgroup') { $Fake.Join = @{ IsDomain = $false; Name = 'WORKGROUP' } }
  else { $Fake.Join = @{ IsDomain = $Arguments.FJoinOptions -ne 0; Name = $Arguments.Name } }
}

function Write-FakeFile([string] $File, [string] $Text) {
  [void](New-Item -ItemType Directory -Force -Path (Split-Path -Parent $File))
  [IO.File]::WriteAllText($File, $Text)
}

function Invoke-FakeChoco([string[]] $Arguments) {
  $options = @{}
  foreach ($argument in $Arguments) { if ($argument -match '\A--([a-z]+)=(.*)\z') { $options[$Matches[1]] = $Matches[2] } }
  if ("$($Arguments[0..1])" -eq 'source add') {
    Write-FakeFile (Join-Path $env:ChocolateyInstall 'config\chocolatey.config') "<chocolatey><sources><source id=`"$($options.name)`" value=`"$($options.source)`" disabled=`"false`" /></sources></chocolatey>"
  }
  if ($Arguments[0] -eq 'upgrade') {
    $name = $Arguments[1]
    Write-FakeFile (Join-Path $env:ChocolateyInstall "lib\$name\$name.nuspec") "<package xmlns=`"http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd`"><metadata><id>$name</id><version>$($options.version)</version></metadata></package>"
  }
}

function Invoke-FakeScoop([string[]] $Arguments) {
  $bucket = Join-Path $env:SCOOP 'buckets\go-win-tools'
  switch ("$(@($Arguments | Select-Object -First 2))") {
    'bucket rm' { Remove-Item -Recurse -Force -LiteralPath $bucket }
    'bucket add' {
      Write-FakeFile (Join-Path $bucket '.git\config') "[remote `"origin`"]`n`turl = $($Arguments[3])`n"
      foreach ($name in $Fake.Offers.Keys) { Write-FakeFile (Join-Path $bucket "bucket\$name.json") "{`"version`":`"$($Fake.Offers[$name])`"}" }
    }
    { $_ -like 'install *' -or $_ -like 'update ?*' } {
      $name = Split-Path -Leaf $Arguments[1]
      Write-FakeFile (Join-Path $env:SCOOP "apps\$name\current\manifest.json") "{`"version`":`"$($Fake.Offers[$name])`"}"
    }
  }
}

function Invoke-Program([string] $Program, [string[]] $Arguments, [int[]] $Success = @(0)) {
  $Fake.Programs.Add(@($Program) + $Arguments)
  $Fake.Password = $env:GO_WIN_CONFIG_PASSWORD
  $leaf = Split-Path -Leaf $Program
  $at = [array]::IndexOf($Arguments, '-File')
  if ($at -ge 0) { $leaf = 'scoop'; $Arguments = $Arguments[($at + 2)..($Arguments.Count - 1)] }
  $words = @($Arguments | Select-Object -First 2)
  Write-Fake "$leaf $words"
  if ($leaf -eq 'choco.exe') { Invoke-FakeChoco $Arguments }
  if ($leaf -eq 'scoop') { Invoke-FakeScoop $Arguments }
}
