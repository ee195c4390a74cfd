# Runs one script after the other, each with an environment and a folder of its own, in a session of its own. Compiling what a script
# uses takes PowerShell seconds in each process; here it does so once. A job is a line of JSON from the socket, the answer a line.
param([int]$Port, [string]$Script)
$client = [Net.Sockets.TcpClient]::new('127.0.0.1', $Port)
$reader = [IO.StreamReader]::new($client.GetStream())
$writer = [IO.StreamWriter]::new($client.GetStream())
$writer.AutoFlush = $true
while ($null -ne ($line = $reader.ReadLine())) {
  $job = [Text.Json.JsonDocument]::Parse($line).RootElement
  foreach ($name in @([Environment]::GetEnvironmentVariables().Keys)) {
    # By these a PowerShell that is started from here finds its .NET.
    if ($name -notmatch '^(DOTNET|POWERSHELL)_') { [Environment]::SetEnvironmentVariable($name, $null) }
  }
  foreach ($entry in $job.GetProperty('env').EnumerateObject()) { [Environment]::SetEnvironmentVariable($entry.Name, $entry.Value.GetString()) }
  [Environment]::CurrentDirectory = $job.GetProperty('cwd').GetString()
  $runspace = [runspacefactory]::CreateRunspace($Host)
  $runspace.Open()
  $session = [powershell]::Create()
  $session.Runspace = $runspace
  $said = ''
  try {
    $null = $session.AddCommand('Set-Location').AddParameter('LiteralPath', [Environment]::CurrentDirectory).AddStatement().AddCommand($Script).Invoke()
    $said = "$($session.Streams.Error)"
  } catch { $said = "$_" }
  $session.Dispose()
  $runspace.Dispose()
  $writer.WriteLine(($said -replace '[\r\n]+', ' '))
}
