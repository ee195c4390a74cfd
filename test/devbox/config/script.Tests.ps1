# The script as it is called, with the fakes put in before its run: parameters, output and exit codes.
BeforeAll {
  $marker = '# Read in by a dot'
  $parts = [IO.File]::ReadAllText($env:CONFIG_SCRIPT) -split [regex]::Escape($marker)
  $script = Join-Path $TestDrive 'go-win-config.ps1'
  [IO.File]::WriteAllText($script, "$($parts[0]). '$(Join-Path $PSScriptRoot 'fakes.ps1')'`n$marker$($parts[1])")
  $good = '{"version":1,"services":[{"name":"WinRM","startup":"Automatic","state":"Running"}]}'
  $bad = '{"version":1,"services":[{"name":"Absent","startup":"Manual","state":"Stopped"},{"name":"WinRM","startup":"Automatic","state":"Running"}]}'
  function Write-Machine([string] $Text, [string] $Name = 'machine.json') { [IO.File]::WriteAllText((Join-Path $TestDrive $Name), $Text) }
}

Describe 'The script' {
  It 'has one place for its run' { $parts.Count | Should -Be 2 }

  It 'takes machine.json beside it, says what it did, and ends with 0' {
    Write-Machine $good
    $said = & $script

    $LASTEXITCODE | Should -Be 0
    $said | Should -Be @('changed: service WinRM', '1 changed.')
  }

  It 'changes nothing with -WhatIf' {
    Write-Machine $good
    $said = & $script -WhatIf

    $LASTEXITCODE | Should -Be 0
    $said | Should -Be @('would change: service WinRM', '1 would change.')
  }

  It 'ends with 1 when something failed, and has done the rest' {
    Write-Machine $bad
    $answer = & $script -Json | ConvertFrom-Json

    $LASTEXITCODE | Should -Be 1
    $answer.exitCode | Should -Be 1
    $answer.resources.state | Should -Be @('failed', 'changed')
    $answer.resources[0].error | Should -Match 'Absent'
    $answer.resources[1].path | Should -Be '/services/1'
  }

  It 'reads YAML by the module powershell-yaml' {
    $folder = Join-Path $TestDrive 'modules'
    [void](New-Item -ItemType Directory -Path (Join-Path $folder 'powershell-yaml'))
    # Answers like the real one for a file with one service.
    $fake = 'function ConvertFrom-Yaml([string] $Yaml, [switch] $Ordered) { return [ordered]@{ version = 1; services = @([ordered]@{ name = "WinRM"; startup = "Automatic"; state = "Running" }) } }'
    [IO.File]::WriteAllText((Join-Path $folder 'powershell-yaml' 'powershell-yaml.psm1'), $fake)
    Write-Machine 'version: 1' 'machine.yaml'
    $kept = $env:PSModulePath
    $env:PSModulePath = "$folder$([IO.Path]::PathSeparator)$kept"
    try { $said = & $script -Path (Join-Path $TestDrive 'machine.yaml') }
    finally {
      $env:PSModulePath = $kept
      Remove-Module -Name powershell-yaml -ErrorAction SilentlyContinue
    }

    $LASTEXITCODE | Should -Be 0
    $said | Should -Be @('changed: service WinRM', '1 changed.')
  }
}
