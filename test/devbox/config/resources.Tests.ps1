# Every resource against fakes: changed once, unchanged the second time, and the rest done when one fails.
BeforeAll {
  . $env:CONFIG_SCRIPT
  . (Join-Path $PSScriptRoot 'fakes.ps1')
  $example = [IO.File]::ReadAllText((Join-Path $PSScriptRoot 'example-machine.json'))
  $rsa = [Security.Cryptography.RSA]::Create(2048)
  $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=Test', $rsa, 'SHA256', [Security.Cryptography.RSASignaturePadding]::Pkcs1)
  $corp = $request.CreateSelfSigned([DateTimeOffset]::UtcNow.AddDays(-1), [DateTimeOffset]::UtcNow.AddDays(1))
  # Its folder is a new machine with Chocolatey and Scoop.
  function New-Machine([string] $Text = $example) {
    $folder = Join-Path $TestDrive ([guid]::NewGuid())
    $env:ChocolateyInstall = Join-Path $folder 'choco'
    $env:SCOOP = Join-Path $folder 'scoop'
    Write-FakeFile (Join-Path $env:ChocolateyInstall 'bin\choco.exe') ''
    Write-FakeFile (Join-Path $env:SCOOP 'apps\scoop\current\bin\scoop.ps1') ''
    [IO.File]::WriteAllBytes((Join-Path $folder 'corp-root.cer'), $corp.RawData)
    $file = Join-Path $folder 'machine.json'
    [IO.File]::WriteAllText($file, $Text.Replace('5d9ac5e2b2a3c4f36f3e9f0f7d1c0c7c3b9e7a55d2b7a1f7b8a0e6a64f0b1c2d', $corp.GetCertHashString('SHA256').ToLowerInvariant()))
    return $file
  }
  $keep = @{ Choco = $env:ChocolateyInstall; Scoop = $env:SCOOP }
}
AfterAll {
  $env:ChocolateyInstall = $keep.Choco
  $env:SCOOP = $keep.Scoop
}

Describe 'The example' {
  BeforeEach { . (Join-Path $PSScriptRoot 'fakes.ps1') }

  It 'changes everything once, and nothing the second time' {
    $file = New-Machine
    $first = Invoke-Configuration $file $false
    $writes = $Fake.Writes.Count
    $second = Invoke-Configuration $file $false

    @($first.resources | Where-Object state -NE 'changed' | ForEach-Object { "$($_.name): $($_.error)" }) | Should -Be @()
    $first.exitCode | Should -Be 0
    $first.restart | Should -BeTrue
    @($second.resources.state | Sort-Object -Unique) | Should -Be @('unchanged')
    $second.exitCode | Should -Be 0
    $second.restart | Should -BeFalse
    $Fake.Writes.Count | Should -Be $writes
    (Get-Lines $second)[-1] | Should -Be "$($second.resources.Count) unchanged."
  }

  It 'leaves the machine as it says' {
    $result = Invoke-Configuration (New-Machine) $false

    $result.exitCode | Should -Be 0
    $machine = 'HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    $Fake.Registry["$machine|GOTOOLCHAIN"].Data | Should -Be 'local'
    $Fake.Registry['HKCU\Environment|GOFLAGS'].Data | Should -Be '-mod=readonly'
    $Fake.Registry["$machine|Path"].Data | Should -Be 'C:\ProgramData\chocolatey\lib\go-win-shims\tools;C:\Go\bin;%SystemRoot%\system32;C:\Old'
    $Fake.Registry["$machine|Path"].Type | Should -Be 'ExpandString'
    $Fake.Registry['HKLM\SYSTEM\CurrentControlSet\Control\FileSystem|LongPathsEnabled'].Data | Should -BeOfType ([int])
    $Fake.Services.WinRM.State | Should -Be 'Running'
    $Fake.Listeners.HTTPS.Port | Should -Be 5986
    $Fake.Join.Name | Should -Be 'DEVBOX'
    $id = "office-$([Environment]::MachineName.ToLowerInvariant())"
    @($Fake.Programs | Where-Object { $_ -contains "--source=https://feed.example.org/nuget/c/$id" }).Count | Should -Be 1
    @($Fake.Programs | Where-Object { $_ -contains "https://feed.example.org/git/c/$id/go-win-tools.git" }).Count | Should -Be 2
  }

  It 'changes nothing with -WhatIf, and says what would change' {
    $result = Invoke-Configuration (New-Machine) $true

    @($result.resources.state | Sort-Object -Unique) | Should -Be @('would change')
    $result.exitCode | Should -Be 0
    $Fake.Writes.Count | Should -Be 0
  }

  It 'does the rest when <What> fails' -ForEach @(
    @{ What = 'registry GOTOOLCHAIN'; At = '/environment/0' }
    @{ What = 'certificate Root'; At = '/certificates/0' }
    @{ What = 'registry LongPathsEnabled'; At = '/registry/0' }
    @{ What = 'service WinRM'; At = '/services/0' }
    @{ What = 'listener HTTPS'; At = '/winrm' }
    @{ What = 'choco.exe source enable'; At = '/feed/chocolatey' }
    @{ What = 'choco.exe upgrade delve'; At = '/packages/1' }
    @{ What = 'scoop install go-win-tools/buf'; At = '/packages/2' }
    @{ What = 'registry Path'; At = '/path' }
    @{ What = 'join JoinDomainOrWorkgroup'; At = '/join' }
  ) {
    $file = New-Machine
    $Broken[$What] = 'Access is denied.'
    $result = Invoke-Configuration $file $false

    $result.exitCode | Should -Be 1
    @($result.resources | Where-Object state -EQ 'failed').path | Should -Be $At
    @($result.resources | Where-Object state -EQ 'failed').error | Should -Be 'Access is denied.'
    @($result.resources | Where-Object state -EQ 'changed').Count | Should -Be ($result.resources.Count - 1)
    $Broken.Clear()
    (Invoke-Configuration $file $false).exitCode | Should -Be 0
  }
}

Describe 'A resource' {
  BeforeEach { . (Join-Path $PSScriptRoot 'fakes.ps1') }

  It 'has failed if it still differs, although nothing reported an error' {
    function Set-ServiceNow { }
    $result = Invoke-Configuration (New-Machine '{"version":1,"services":[{"name":"WinRM","startup":"Automatic","state":"Running"}]}') $false

    $result.exitCode | Should -Be 1
    $result.resources[0].error | Should -Match 'still differs'
  }

  It 'gives up no bucket for one that does not answer' {
    $file = New-Machine '{"version":1,"feed":{"url":"https://feed.example.org","scoop":true}}'
    $Broken['git ls-remote --exit-code'] = 'no answer'
    (Invoke-Configuration $file $false).exitCode | Should -Be 1

    @($Fake.Writes) | Should -Be @()
  }

  It 'refuses a certificate with other bytes than the file says' {
    $file = New-Machine
    [IO.File]::AppendAllText((Join-Path (Split-Path -Parent $file) 'corp-root.cer'), 'x')
    $other = $request.CreateSelfSigned([DateTimeOffset]::UtcNow.AddDays(-1), [DateTimeOffset]::UtcNow.AddDays(2))
    [IO.File]::WriteAllBytes((Join-Path (Split-Path -Parent $file) 'corp-root.cer'), $other.RawData)
    $result = Invoke-Configuration $file $false

    @($result.resources | Where-Object state -EQ 'failed').error | Should -Match 'has the SHA-256'
    $Fake.Stores.Count | Should -Be 0
  }

  It 'of Scoop fails where the bucket offers another version' {
    $Fake.Offers.buf = '1.33.0'
    $result = Invoke-Configuration (New-Machine) $false

    @($result.resources | Where-Object state -EQ 'failed').error | Should -Match 'offers version 1.33.0, expected 1.32.0'
  }

  It 'compares each type of registry value' -ForEach @(
    @{ Type = 'DWord'; Value = '4294967295'; Other = '1' }
    @{ Type = 'QWord'; Value = '9007199254740991'; Other = '1' }
    @{ Type = 'String'; Value = '"a"'; Other = '"A"' }
    @{ Type = 'ExpandString'; Value = '"%TEMP%"'; Other = '""' }
    @{ Type = 'MultiString'; Value = '["a","b"]'; Other = '["a"]' }
    @{ Type = 'MultiString'; Value = '[]'; Other = '["a"]' }
  ) {
    $text = { param($Is) "{`"version`":1,`"registry`":[{`"key`":`"HKLM\\x`",`"name`":`"`",`"type`":`"$Type`",`"value`":$Is}]}" }
    $states = foreach ($is in $Value, $Value, $Other, $Value) { (Invoke-Configuration (New-Machine (& $text $is)) $false).resources.state }

    $states | Should -Be @('changed', 'unchanged', 'changed', 'changed')
  }
}

Describe 'The join mode' {
  BeforeEach { . (Join-Path $PSScriptRoot 'fakes.ps1') }
  AfterEach { $env:GO_WIN_CONFIG_USER = $env:GO_WIN_CONFIG_PASSWORD = $null }

  It 'Domain takes its password from the environment, and shows it to nobody' {
    $env:GO_WIN_CONFIG_USER = 'corp\joiner'
    $env:GO_WIN_CONFIG_PASSWORD = 'hunter2'
    $file = New-Machine '{"version":1,"feed":{"url":"https://feed.example.org","chocolatey":true},"join":{"mode":"Domain","name":"corp.example","ou":"OU=Dev"}}'
    $result = Invoke-Configuration $file $false

    $result.exitCode | Should -Be 0
    $Fake.JoinArguments.Password | Should -Be 'hunter2'
    $Fake.JoinArguments.AccountOU | Should -Be 'OU=Dev'
    $Fake.Password | Should -BeNullOrEmpty
    $env:GO_WIN_CONFIG_PASSWORD | Should -Be 'hunter2'
    ConvertTo-Json $result -Depth 5 | Should -Not -Match 'hunter2'
    (Invoke-Configuration $file $false).resources[-1].state | Should -Be 'unchanged'
  }

  It 'hides the password in an error' {
    $secure = ConvertTo-SecureString -String 'hunter2' -AsPlainText -Force
    $Broken['join JoinDomainOrWorkgroup'] = 'hunter2 is wrong'
    $result = Invoke-Configuration (New-Machine '{"version":1,"join":{"mode":"Domain","name":"corp.example"}}') $false ([pscredential]::new('joiner', $secure))

    $result.resources[0].error | Should -Be '*** is wrong'
  }

  It 'Domain without a credential fails, and says how to give one' {
    $result = Invoke-Configuration (New-Machine '{"version":1,"join":{"mode":"Domain","name":"corp.example"}}') $false

    $result.exitCode | Should -Be 1
    $result.resources[0].error | Should -Match '-Credential'
  }

  It 'Standalone and Workgroup leave a domain' -ForEach @(
    @{ Join = '{"mode":"Standalone"}'; Name = 'WORKGROUP' }
    @{ Join = '{"mode":"Workgroup","name":"DEVBOX"}'; Name = 'DEVBOX' }
  ) {
    $Fake.Join = @{ IsDomain = $true; Name = 'corp.example' }
    $result = Invoke-Configuration (New-Machine "{`"version`":1,`"join`":$Join}") $false

    $result.resources[0].state | Should -Be 'changed'
    $Fake.Join.IsDomain | Should -BeFalse
    $Fake.Join.Name | Should -Be $Name
  }
}
