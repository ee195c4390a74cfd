# All Pester files of a folder in one process; answers with JSON: how many passed, and each that did not, with its error.
$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.0.0
$configuration = New-PesterConfiguration
$configuration.Run.Path = $env:PESTER_FOLDER
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'None'
$done = Invoke-Pester -Configuration $configuration
$failed = @($done.Tests | Where-Object Result -EQ 'Failed' | ForEach-Object { "$($_.ExpandedPath): $($_.ErrorRecord)" })
$broken = @(@($done.FailedContainers) + @($done.FailedBlocks) | ForEach-Object { "$_`: $($_.ErrorRecord)" })
[IO.File]::WriteAllText($env:PESTER_RESULT, (ConvertTo-Json -InputObject @{ passed = $done.PassedCount; failed = @($failed + $broken) }))
