# The steps of the Windows image, which are PowerShell: what they do, and above all what they refuse. FEED serves the folder SERVED.
BeforeAll {
  Add-Type -AssemblyName System.IO.Compression
  Add-Type -AssemblyName System.IO.Compression.FileSystem

  function Invoke-Step([string] $Name, [hashtable] $Parameters) {
    & (Join-Path $env:STEPS "$Name.ps1") @Parameters
  }
  function New-Served([string] $Name, [string] $Text) {
    $file = Join-Path $env:SERVED $Name
    [IO.File]::WriteAllText($file, $Text)
    return (Get-FileHash -LiteralPath $file -Algorithm SHA256).Hash.ToLowerInvariant()
  }
  function New-Zip([string] $Name, [System.Collections.IDictionary] $Files) {
    $path = Join-Path $TestDrive $Name
    $zip = [IO.Compression.ZipFile]::Open($path, 'Create')
    foreach ($name in $Files.Keys) {
      $writer = [IO.StreamWriter]::new($zip.CreateEntry($name).Open())
      $writer.Write($Files[$name])
      $writer.Dispose()
    }
    $zip.Dispose()
    return $path
  }
  function Get-Tree([string] $Folder) {
    return @(Get-ChildItem -LiteralPath $Folder -Recurse -File | ForEach-Object { [IO.Path]::GetRelativePath($Folder, $_.FullName) } | Sort-Object)
  }
}

Describe 'fetch.ps1' {
  It 'keeps a file whose hash is the expected one, in either case, in a new folder' {
    $hash = New-Served 'gadget.exe' 'MZ gadget'
    $to = Join-Path $TestDrive 'new/folder/gadget.exe'
    Invoke-Step fetch @{ Url = "$env:FEED/gadget.exe"; Sha256 = $hash.ToUpperInvariant(); To = $to } | Should -BeLike "*gadget.exe  SHA-256 $hash"
    [IO.File]::ReadAllText($to) | Should -BeExactly 'MZ gadget'
  }

  It 'refuses other bytes, names both hashes, and leaves nothing of them' {
    $hash = New-Served 'changed.exe' 'MZ changed'
    $to = Join-Path $TestDrive 'changed/changed.exe'
    $other = 'ab' * 32
    { Invoke-Step fetch @{ Url = "$env:FEED/changed.exe"; Sha256 = $other; To = $to } } | Should -Throw "*$hash, expected $other*"
    Get-Tree (Split-Path $to) | Should -Be @()
  }

  It 'keeps the file of before when the new one is refused' {
    $to = Join-Path $TestDrive 'before.exe'
    [IO.File]::WriteAllText($to, 'before')
    [void](New-Served 'after.exe' 'after')
    { Invoke-Step fetch @{ Url = "$env:FEED/after.exe"; Sha256 = '0' * 64; To = $to } } | Should -Throw
    [IO.File]::ReadAllText($to) | Should -BeExactly 'before'
  }

  It 'refuses an invalid hash before it downloads: <hash>' -ForEach @(@{ hash = 'missing' }, @{ hash = 'a' * 63 }, @{ hash = ('a' * 64) + "`n" }) {
    { Invoke-Step fetch @{ Url = 'http://127.0.0.1:1/nobody'; Sha256 = $hash; To = (Join-Path $TestDrive 'x') } } | Should -Throw '*needs a SHA-256 of 64 hex digits*'
  }

  It 'ends with the error of the server' {
    { Invoke-Step fetch @{ Url = "$env:FEED/nothing.exe"; Sha256 = '0' * 64; To = (Join-Path $TestDrive 'y') } } | Should -Throw '*404*'
  }
}

Describe 'unzip.ps1' {
  It 'unpacks the folder that holds the file, wherever it is: <prefix>' -ForEach @(@{ prefix = 'go/' }, @{ prefix = 'golang.org/toolchain@v0.0.1-go1.26.8.windows-amd64/' }, @{ prefix = '' }) {
    $zip = New-Zip "sdk$($prefix.Length).zip" ([ordered]@{
        "${prefix}src/cmd/VERSION" = 'a deeper one'
        "${prefix}VERSION" = 'go1.26.8'
        "${prefix}bin/go.exe" = 'MZ go'
        'other/file' = 'x'
      })
    $to = Join-Path $TestDrive "sdk$($prefix.Length)"
    [void](Invoke-Step unzip @{ Zip = $zip; Holding = 'VERSION'; To = $to })
    $expected = @('bin/go.exe', 'src/cmd/VERSION', 'VERSION')
    if ($prefix -eq '') { $expected += 'other/file' }
    Get-Tree $to | Should -Be ($expected | Sort-Object)
    [IO.File]::ReadAllText((Join-Path $to 'VERSION')) | Should -BeExactly 'go1.26.8'
  }

  It 'unpacks one file' {
    $zip = New-Zip 'probe.nupkg' @{ 'tools/go-win-probe.exe' = 'MZ probe'; 'tools/LICENSE.txt' = 'MIT' }
    $to = Join-Path $TestDrive 'probe/go-win-probe.exe'
    [void](Invoke-Step unzip @{ Zip = $zip; Entry = 'tools/go-win-probe.exe'; To = $to })
    Get-Tree (Split-Path $to) | Should -Be @('go-win-probe.exe')
    [IO.File]::ReadAllText($to) | Should -BeExactly 'MZ probe'
  }

  It 'says what is missing in the zip' {
    $zip = New-Zip 'empty.zip' @{ 'a' = 'b' }
    { Invoke-Step unzip @{ Zip = $zip; Entry = 'tools/x.exe'; To = (Join-Path $TestDrive 'z') } } | Should -Throw '*has no tools/x.exe'
    { Invoke-Step unzip @{ Zip = $zip; Holding = 'VERSION'; To = (Join-Path $TestDrive 'z') } } | Should -Throw '*has no file VERSION'
  }

  It 'writes nothing outside of the folder' {
    $zip = New-Zip 'slip.zip' ([ordered]@{ 'go/VERSION' = 'go1.26.8'; 'go/../../slipped.exe' = 'MZ' })
    { Invoke-Step unzip @{ Zip = $zip; Holding = 'VERSION'; To = (Join-Path $TestDrive 'deep/er/go') } } | Should -Throw '*leads out of*'
    Get-ChildItem -LiteralPath $TestDrive -Recurse -Filter 'slipped.exe' | Should -BeNullOrEmpty
  }
}

Describe 'tools.ps1' {
  BeforeAll {
    function New-Lock([string] $Name, [object] $Tools, [int] $Version = 1) {
      $file = Join-Path $TestDrive $Name
      [IO.File]::WriteAllText($file, (ConvertTo-Json -Depth 5 @{ version = $Version; feed = $env:FEED; tools = $Tools }))
      return $file
    }
    $buf = @{ version = '1.32.0'; url = "$env:FEED/buf.exe"; sha256 = New-Served 'buf.exe' 'MZ buf' }
    $delve = @{ version = '1.27.2'; url = "$env:FEED/delve.exe"; sha256 = New-Served 'delve.exe' 'MZ delve'; file = 'dlv.exe' }
  }

  It 'downloads every tool, under its own name' {
    $to = Join-Path $TestDrive 'tools'
    [void](Invoke-Step tools @{ Lock = New-Lock 'lock.json' @{ buf = $buf; delve = $delve }; To = $to })
    Get-Tree $to | Should -Be @('buf.exe', 'dlv.exe')
  }

  It 'needs no tool' {
    { Invoke-Step tools @{ Lock = New-Lock 'none.json' @{}; To = (Join-Path $TestDrive 'none') } } | Should -Not -Throw
  }

  It 'ends with the first tool whose bytes are others' {
    $forged = $buf.Clone()
    $forged.sha256 = '0' * 64
    { Invoke-Step tools @{ Lock = New-Lock 'forged.json' @{ buf = $forged }; To = (Join-Path $TestDrive 'forged') } } | Should -Throw '*expected 0000*'
  }

  It 'refuses a name that is no plain exe: <name>' -ForEach @(@{ name = '..\..\windows\system32\cmd.exe' }, @{ name = 'a/b.exe' }, @{ name = 'setup.ps1' }, @{ name = 'C:x.exe' }) {
    $tool = $buf.Clone()
    $tool.file = $name
    { Invoke-Step tools @{ Lock = New-Lock 'named.json' @{ buf = $tool }; To = (Join-Path $TestDrive 'named') } } | Should -Throw '*no plain name of an exe'
  }

  It 'refuses a lock of another version' {
    { Invoke-Step tools @{ Lock = New-Lock 'new.json' @{} 2; To = (Join-Path $TestDrive 'x') } } | Should -Throw "*version '2', expected 1*"
  }
}

Describe 'path.ps1' {
  BeforeEach { $before = $env:PATH }
  AfterEach { $env:PATH = $before }

  It 'puts folders first, each once: <from>' -ForEach @(
    @{ from = 'C:\Windows\system32;C:\Windows'; to = 'C:\tools;C:\go\bin;C:\Windows\system32;C:\Windows' }
    @{ from = 'C:\Windows;c:\TOOLS\;C:\go\bin;;C:\x'; to = 'C:\tools;C:\go\bin;C:\Windows;C:\x' }
    @{ from = ''; to = 'C:\tools;C:\go\bin' }
  ) {
    # As `powershell -File` hands an array over.
    $env:PATH = $from
    Invoke-Step path @{ First = 'C:\tools,C:\go\bin'; Scope = 'Process' } | Should -BeExactly $to
    $env:PATH | Should -BeExactly $to
    Invoke-Step path @{ First = 'C:\tools', 'C:\go\bin'; Scope = 'Process' } | Should -BeExactly $to
  }

  It 'refuses a folder with a semicolon' {
    { Invoke-Step path @{ First = 'C:\a;C:\b'; Scope = 'Process' } } | Should -Throw '*semicolon*'
  }
}

Describe 'certificates.ps1' {
  BeforeAll {
    $store = [Security.Cryptography.X509Certificates.X509Store]::new('Root', 'CurrentUser')
    function Get-Trusted {
      $store.Open('ReadOnly')
      try { return @($store.Certificates | ForEach-Object Subject | Sort-Object) } finally { $store.Close() }
    }
    $pems = foreach ($name in 'First', 'Second') {
      $key = [Security.Cryptography.ECDsa]::Create()
      $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new("CN=$name Test Authority", $key, 'SHA256')
      $request.CreateSelfSigned([DateTimeOffset]::Now.AddDays(-1), [DateTimeOffset]::Now.AddDays(9)).ExportCertificatePem()
    }
  }

  It 'adds every certificate of a bundle with comments to the trusted ones' {
    $bundle = Join-Path $TestDrive 'cacert.pem'
    [IO.File]::WriteAllText($bundle, "## Bundle of CA Root Certificates`r`n`r`nFirst`r`n=====`r`n$($pems -join "`r`n`r`nSecond`r`n======`r`n")`r`n")
    Invoke-Step certificates @{ Bundle = $bundle; Location = 'CurrentUser' } | Should -BeLike '2 certificates of *'
    Get-Trusted | Should -Be @('CN=First Test Authority', 'CN=Second Test Authority')
  }

  It 'refuses a bundle without certificates' {
    $bundle = Join-Path $TestDrive 'empty.pem'
    [IO.File]::WriteAllText($bundle, '<html>not found</html>')
    { Invoke-Step certificates @{ Bundle = $bundle; Location = 'CurrentUser' } } | Should -Throw '*has no certificate in PEM form'
  }
}

Describe 'vc-runtime.ps1' {
  BeforeAll {
    function New-Installer([int] $Code) {
      $file = Join-Path $TestDrive "installer-$Code"
      [IO.File]::WriteAllText($file, "#!/bin/sh`nprintf '%s ' `"`$@`" >'$file.args'`nexit $Code`n")
      [IO.File]::SetUnixFileMode($file, 'UserRead,UserWrite,UserExecute')
      return $file
    }
  }

  It 'asks for no window and no restart, and waits' {
    $installer = New-Installer 0
    Invoke-Step vc-runtime @{ Installer = $installer } | Should -BeLike '*ended with 0'
    [IO.File]::ReadAllText("$installer.args") | Should -BeExactly '/install /quiet /norestart '
  }

  It 'takes <code> as done' -ForEach @(@{ code = 1638 }, @{ code = 3010 }) {
    # A script of its own scope calls this function; programs have only eight bits here.
    function Start-Process { return [pscustomobject]@{ ExitCode = $code } }
    Invoke-Step vc-runtime @{ Installer = 'vc_redist.x64.exe' } | Should -BeLike "*ended with $code"
  }

  It 'ends with any other exit code' {
    { Invoke-Step vc-runtime @{ Installer = New-Installer 5 } } | Should -Throw '*ended with 5*'
  }
}
