# Runs the scripts of RUNS one after the other in one session, as a person would; answers with what each said, and its exit code.
$runs = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($env:RUNS))
$results = foreach ($run in $runs) {
  foreach ($entry in $run.env.PSObject.Properties) { [Environment]::SetEnvironmentVariable($entry.Name, $entry.Value) }
  $global:LASTEXITCODE = 0
  $said = & ([scriptblock]::Create($run.command)) *>&1 | ForEach-Object { "$_" }
  @{ code = $LASTEXITCODE; said = (@($said) -join "`n") }
}
[IO.File]::WriteAllText($env:RESULTS, (ConvertTo-Json -InputObject @($results)))
