# Every row of bad-machines.json, which the schema is tested with too, and what a file can be wrong in before it is read.
BeforeAll {
  . $env:CONFIG_SCRIPT
  . (Join-Path $PSScriptRoot 'fakes.ps1')
  $rows = [Text.Json.JsonDocument]::Parse([IO.File]::ReadAllText((Join-Path $PSScriptRoot 'bad-machines.json'))).RootElement
  function Invoke-Text([string] $Text, [string] $Name = 'machine.json') {
    $file = Join-Path $TestDrive $Name
    [IO.File]::WriteAllText($file, $Text)
    return Invoke-Configuration $file $false
  }
}

Describe 'A file with a fault' {
  # One test for all rows: a test for each costs more than reading its file.
  It 'is refused in each row at its path, and for nothing else' {
    $others = foreach ($row in $rows.EnumerateArray()) {
      $result = Invoke-Text $row.GetProperty('machine').GetRawText()
      $said = "$($result.exitCode) $(@($result.faults.path) -join ' ')"
      if ($said -cne "2 $($row.GetProperty('fault').GetString())") { "${said}: $($row.GetRawText())" }
      if ("$($result.faults.fault)" -match 'hunter2') { "shows a password: $($row.GetRawText())" }
    }

    @($others) | Should -Be @()
    $rows.GetArrayLength() | Should -BeGreaterThan 50
    $Fake.Writes.Count | Should -Be 0
  }

  It 'is refused with all of its faults at once' {
    $result = Invoke-Text '{"version":3,"join":{"mode":"Cloud"},"winrm":{"transport":"HTTP","port":99999},"path":{"shims":"x","folders":["y"]}}'

    $result.faults.path | Should -Be @('/version', '/join/mode', '/winrm/port', '/path/shims', '/path/folders/0')
    ($result.faults | Where-Object path -EQ '/join/mode').fault | Should -Be 'expected Domain or Workgroup or Standalone'
    ($result.faults | Where-Object path -EQ '/winrm/port').fault | Should -Be 'expected a whole number from 1 to 65535'
  }

  It 'is refused for a field that is there twice' {
    (Invoke-Text '{"version":1,"join":{"mode":"Standalone","mode":"Domain"}}').faults.path | Should -Be '/join/mode'
  }

  It 'is refused if it is no JSON, or missing' {
    (Invoke-Text '{"version":1,}').exitCode | Should -Be 2
    (Invoke-Configuration (Join-Path $TestDrive 'absent.json') $false).exitCode | Should -Be 2
  }

  It 'says what YAML needs where the module is missing' {
    $result = Invoke-Text 'version: 1' 'machine.yaml'

    $result.exitCode | Should -Be 2
    $result.faults[0].fault | Should -Match 'powershell-yaml.*machine.json'
  } -Skip:($null -ne (Get-Module -ListAvailable -Name powershell-yaml))

  It 'is no reason to change anything, and ends the script with 2' {
    $file = Join-Path $TestDrive 'machine.json'
    [IO.File]::WriteAllText($file, '{"version":1,"colour":"blue"}')

    $said = & $env:CONFIG_SCRIPT -Path $file
    $LASTEXITCODE | Should -Be 2
    $said[0] | Should -Be "${file}: /colour: is unknown, expected only version, feed, environment, certificates, registry, services, winrm, packages, path, join"
    $said[-1] | Should -Be 'Nothing was changed.'
    $answer = & $env:CONFIG_SCRIPT -Path $file -Json | ConvertFrom-Json
    $answer.exitCode | Should -Be 2
    $answer.faults[0].path | Should -Be '/colour'
    & $env:CONFIG_SCRIPT -Path $file -Colour blue
    $LASTEXITCODE | Should -Be 2
  }
}
