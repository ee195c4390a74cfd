# What Windows PowerShell 5.1 lacks, found in scripts by PowerShell's own parser: for each text of TEXTS a list of `LINE: WHAT`.
$ast = 'System.Management.Automation.Language'
$commands = 'Get-Error', 'Test-Json', 'Join-String', 'ConvertFrom-Markdown', 'Show-Markdown', 'Get-Uptime', 'Remove-Alias', 'Get-SecureRandom', 'ConvertTo-CliXml', 'ConvertFrom-CliXml', 'Switch-Process', 'Start-ThreadJob'
$parameters = @{
  'ForEach-Object' = 'Parallel', 'ThrottleLimit', 'TimeoutSeconds', 'AsJob', 'UseNewRunspace'
  'ConvertFrom-Json' = 'AsHashtable', 'NoEnumerate', 'Depth', 'DateKind'
  'ConvertTo-Json' = 'AsArray', 'EscapeHandling'
  'Join-Path' = 'AdditionalChildPath', 'Extension'
  'Split-Path' = 'LeafBase', 'Extension'
  'Select-String' = 'Raw', 'NoEmphasis', 'Culture'
  'Sort-Object' = 'Top', 'Bottom', 'Stable'
  'Where-Object' = 'Not'
  'Get-ChildItem' = 'FollowSymlink'
  'Start-Process' = 'Environment'
  'Get-Content' = 'AsByteStream'
  'Set-Content' = 'AsByteStream', 'NoNewlineIfEmpty'
  'Get-Random' = 'Shuffle'
  'Write-Host' = 'NoEnumerate'
  'Import-PowerShellDataFile' = 'SkipLimitCheck'
  'Invoke-WebRequest' = 'SkipCertificateCheck', 'SkipHttpErrorCheck', 'SkipHeaderValidation', 'Authentication', 'Token', 'Form', 'NoProxy', 'CustomMethod', 'AllowUnencryptedAuthentication', 'PreserveAuthorizationOnRedirect', 'Resume', 'MaximumRetryCount', 'RetryIntervalSec', 'SslProtocol', 'HttpVersion', 'OperationTimeoutSeconds', 'ConnectionTimeoutSeconds', 'UnixSocket'
}
$parameters['Invoke-RestMethod'] = $parameters['Invoke-WebRequest'] + @('StatusCodeVariable', 'ResponseHeadersVariable', 'FollowRelLink')
$variables = 'IsWindows', 'IsLinux', 'IsMacOS', 'IsCoreCLR', 'PSStyle', 'EnabledExperimentalFeatures'
$members = '[Convert]::ToHexString', '[Convert]::FromHexString', '[IO.Path]::GetRelativePath', '[IO.Path]::Join', '[IO.Path]::EndsInDirectorySeparator', '[IO.Path]::TrimEndingDirectorySeparator', '[Environment]::ProcessPath', '[Environment]::ProcessId', '[OperatingSystem]::IsWindows', '[Math]::Clamp', '[Security.Cryptography.SHA256]::HashData', '[Security.Cryptography.RandomNumberGenerator]::GetBytes', '[IO.File]::ReadAllTextAsync', '[string]::Create'
$types = '\A(System\.)?(Text\.Json\.|Net\.Http\.SocketsHttp|Threading\.Lock\z|OperatingSystem\z|DateOnly\z|TimeOnly\z|Half\z)'

function Find-Newer([string] $Text) {
  $tokens = $null
  $faults = $null
  $root = [Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$faults)
  foreach ($fault in $faults) { "$($fault.Extent.StartLineNumber): not understood: $($fault.Message)" }
  foreach ($token in $tokens) {
    $at = $token.Extent.StartLineNumber
    if ($token.Kind -eq 'Number' -and $token.Text -match '(?i)\A0b|(?<!0x[0-9a-f]*)(n|u|ul|us|uy|y|s)\z') { "${at}: number $($token.Text)" }
    if ($token.Kind -match 'Expandable' -and $token.Text -match '(?<!`)(``)*`(e|u\{)') { "${at}: escape in $($token.Text)" }
  }
  foreach ($node in $root.FindAll({ $true }, $true)) {
    $at = $node.Extent.StartLineNumber
    switch ($node.GetType().Name) {
      'TernaryExpressionAst' { "${at}: ternary" }
      'PipelineChainAst' { "${at}: chain $($node.Operator)" }
      'PipelineAst' { if ($node.Background) { "${at}: background &" } }
      'AssignmentStatementAst' { if ($node.Operator -eq 'QuestionQuestionEquals') { "${at}: ??=" } }
      'BinaryExpressionAst' {
        if ($node.Operator -eq 'QuestionQuestion') { "${at}: ??" }
        if ($node.Operator -match 'replace' -and @($node.Right.FindAll({ $args[0].GetType().Name -eq 'ScriptBlockExpressionAst' }, $false)).Count -gt 0) { "${at}: -replace by a script block" }
        if ($node.Operator -eq 'DotDot' -and $node.Left.StaticType -eq [string]) { "${at}: range of letters" }
      }
      { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst', 'IndexExpressionAst' } { if ($node.NullConditional) { "${at}: ?. or ?[]" } }
      { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst' } {
        if ($node.Static) {
          $name = "[$($node.Expression.TypeName.FullName -replace '\ASystem\.', '')]::$($node.Member.Extent.Text)"
          if ($members -contains $name) { "${at}: $name" }
        }
      }
      { $_ -in 'TypeExpressionAst', 'TypeConstraintAst' } { if ($node.TypeName.FullName -match $types) { "${at}: type $($node.TypeName.FullName)" } }
      'VariableExpressionAst' { if ($variables -contains $node.VariablePath.UserPath) { "${at}: `$$($node.VariablePath.UserPath)" } }
      'ScriptBlockAst' { if ($null -ne $node.CleanBlock) { "${at}: clean block" } }
      'CommandAst' {
        $name = "$($node.GetCommandName())"
        if ($commands -contains $name) { "${at}: $name" }
        $given = @($node.CommandElements | Where-Object { $_.GetType().Name -eq 'CommandParameterAst' })
        foreach ($each in $given) {
          if ($each.ParameterName -and @($parameters[$name] | Where-Object { $_ -like "$($each.ParameterName)*" }).Count -gt 0 -and $each.ParameterName -ne 'Leaf') { "${at}: $name -$($each.ParameterName)" }
        }
        if ($name -eq 'Join-Path' -and $given.Count -eq 0 -and $node.CommandElements.Count -gt 3) { "${at}: Join-Path with three parts" }
        foreach ($each in $node.CommandElements) { if ($each.Extent.Text -match '\A[''"]?(utf8NoBOM|utf8BOM|ansi)[''"]?\z') { "${at}: -Encoding $($each.Extent.Text)" } }
      }
    }
  }
}

$texts = ConvertFrom-Json -NoEnumerate -InputObject ([IO.File]::ReadAllText($env:TEXTS))
$found = @(foreach ($text in $texts) { , @(Find-Newer $text) })
[IO.File]::WriteAllText($env:RESULTS, (ConvertTo-Json -InputObject $found -Depth 3))
