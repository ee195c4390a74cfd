# The desired state is a list of tasks per part. Is checks whether it has been reached, Do changes it, and Is checks again: a
# program that ended with 0 is not trusted. -Check only checks, -WhatIf shows what would be done, -Remove has its own tasks.
function New-Task([string] $What, [scriptblock] $Is, [scriptblock] $Do, $With = $null, [switch] $Always) {
  return [PSCustomObject]@{ What = $What; Is = $Is; Do = $Do; With = $With; Always = [bool]$Always; IsSo = $false }
}

function Test-Task($Task) { return [bool](. $Task.Is $Task.With) }

# Denied: whether it needs rights that this user does not have. Answers: what the server has to answer first. Needs: the part that
# has to be done before.
function Get-Parts {
  $byChoco = $null -ne $Choco -and $Part -ne 'scoop'
  $byScoop = $null -ne $Scoop -and $Part -ne 'chocolatey'
  $notChoco = { -not (Test-Writable $Choco.Config) }
  $notAdmin = { -not (Test-Admin) }
  $notShims = { (Get-ShimsWay).By -eq 'Chocolatey' -and -not (Test-Writable $Choco.Config) }
  if ($Remove) {
    if ($Part -ne 'chocolatey') { New-Section 'PATH of this user' { Get-PathRemoval $false } }
    if ($Part -ne 'scoop') { New-Section 'PATH of this machine' { Get-PathRemoval $true } -Denied $notAdmin }
    if ($byChoco) { New-Section 'Chocolatey' { Get-ChocoRemoval } -Denied $notChoco }
    if ($Part -ne 'chocolatey') { New-Section 'Scoop' { Get-ScoopRemoval } }
    return
  }
  if ($byChoco) { New-Section 'Chocolatey' { Get-ChocoTasks } -Denied $notChoco -NeedsKey ($ReadAuth -ne 'none') -Answers { Assert-Feed $Given.Key } -Notes { Show-CompetingSources } }
  if ($byScoop) { New-Section 'Scoop' { Get-ScoopTasks } -NeedsKey (Test-BucketNeedsKey) -Answers { Assert-BucketAnswers $Given.Key } -Notes { Show-ScoopNotes } }
  if ($Shims -or $ShimsDir -ne '') { New-Section 'Shims' { Get-ShimsTasks } -Denied $notShims -Needs { (Get-ShimsWay).By } -Notes { Show-PathNotes } }
}

$Nothing = { $false }
function New-Section([string] $Title, [scriptblock] $Plan, [scriptblock] $Denied = $Nothing, [bool] $NeedsKey = $false, [scriptblock] $Answers = $Nothing, [scriptblock] $Notes = $Nothing, [scriptblock] $Needs = $Nothing) {
  return [PSCustomObject]@{ Title = $Title; Plan = $Plan; Denied = $Denied; NeedsKey = $NeedsKey; Answers = $Answers; Notes = $Notes; Needs = $Needs; Tasks = @(); Fault = '' }
}

# Checks everything before anything changes. A part that cannot be read fails alone.
function Find-Tasks($Sections) {
  foreach ($section in $Sections) {
    try {
      $section.Tasks = @(. $section.Plan)
      foreach ($task in $section.Tasks) { $task.IsSo = Test-Task $task }
    } catch { $section.Fault = $_.Exception.Message }
  }
}

# Everything that only an administrator can do.
function Get-Denied($Sections) {
  foreach ($section in $Sections) {
    $open = @($section.Tasks | Where-Object { -not $_.IsSo })
    if ($section.Fault -eq '' -and $open.Count -gt 0 -and (. $section.Denied)) { $open | ForEach-Object { "$($section.Title): $($_.What)" } }
  }
}

function Write-Fault($Section, [string] $Text) {
  $Section.Fault = $Text
  Write-Note "$($Section.Title): $Text"
}

function Show-Check($Sections) {
  $wrong = 0
  foreach ($section in $Sections) {
    if ($section.Fault -ne '') { Write-Fault $section $section.Fault; $wrong++ }
    foreach ($task in $section.Tasks) {
      $is = 'ok'
      if (-not $task.IsSo) { $is = 'to do'; $wrong++ }
      Write-Line "$($section.Title): ${is}: $($task.What)"
    }
  }
  if ($wrong -gt 0) { return 1 }
  return 0
}

function Show-WhatIf($Sections) {
  $open = 0
  foreach ($section in $Sections) {
    if ($section.Fault -ne '') { Write-Fault $section $section.Fault }
    foreach ($task in @($section.Tasks | Where-Object { $_.Always -or -not $_.IsSo })) {
      Write-Line "What if: $($section.Title): $($task.What)"
      $open++
    }
  }
  $denied = @(Get-Denied $Sections)
  if ($denied.Count -gt 0) { Write-Note "This needs an administrator: $($denied -join '; ')" }
  $faulty = @($Sections | Where-Object { $_.Fault -ne '' }).Count -gt 0
  if ($open -eq 0 -and -not $faulty) { Write-Line 'Nothing was changed, and nothing needs to be: everything is set up.' }
  else { Write-Line 'Nothing was changed.' }
  return $faulty
}

function Invoke-Section($Section) {
  Write-Line $Section.Title
  foreach ($task in $Section.Tasks) {
    $isSo = Test-Task $task
    if ($isSo -and -not $task.Always) {
      Write-Line "  already done: $($task.What)"
      continue
    }
    if ($Confirms -and $null -ne $PSCmdlet -and -not $PSCmdlet.ShouldContinue("$($Section.Title): $($task.What)?", 'install.ps1')) { continue }
    . $task.Do $task.With
    if (-not (Test-Task $task)) { throw "no error was reported, but this is still not the case: $($task.What)." }
    Write-Line "  $($task.What)"
  }
}

# Gets the key for the parts that need one; only these fail without it.
function Get-KeyFor($Sections) {
  $waiting = @($Sections | Where-Object { $_.NeedsKey -and $_.Fault -eq '' })
  if ($waiting.Count -eq 0) { return }
  try { [void](Get-ReadKey) }
  catch {
    $Given.Key = ''
    foreach ($section in $waiting) { Write-Fault $section $_.Exception.Message }
    $Given.Missing = $true
  }
}

# Nothing is added or switched off for a server that does not answer.
function Test-Answers($Sections) {
  foreach ($section in @($Sections | Where-Object { $_.Fault -eq '' })) {
    try { [void](. $section.Answers) }
    catch {
      Write-Fault $section "$($_.Exception.Message) Nothing was changed."
      return $false
    }
  }
  return $true
}

# One run per user at a time, since both would write the same files.
function Use-Turn([scriptblock] $Work) {
  $mutex = New-Object Threading.Mutex -ArgumentList $false, "$Name-install-$([Environment]::UserName)"
  try {
    try { $isOurs = $mutex.WaitOne([TimeSpan]::FromMinutes(10)) }
    catch [Threading.AbandonedMutexException] { $isOurs = $true }
    if (-not $isOurs) { throw 'Another run of install.ps1 has not finished within ten minutes.' }
    try { . $Work }
    finally { $mutex.ReleaseMutex() }
  } finally { $mutex.Dispose() }
}

function Show-End($Sections) {
  $done = @($Sections | Where-Object { $_.Fault -eq '' } | ForEach-Object { $_.Title })
  $failed = @($Sections | Where-Object { $_.Fault -ne '' } | ForEach-Object { $_.Title })
  if ($failed.Count -gt 0) { Write-Line "Not done: $($failed -join ', '); the reasons are above." }
  if ($Remove -and $failed.Count -eq 0) { Write-Line 'Done. Tools that were installed stay: choco uninstall TOOL, scoop uninstall TOOL.' }
  if ($Remove) { return }
  $commands = @()
  if ($done -contains 'Chocolatey' -and $Beta) { $commands += 'choco install TOOL --pre' }
  elseif ($done -contains 'Chocolatey') { $commands += 'choco install TOOL' }
  if ($done -contains 'Scoop') { $commands += "scoop install $Name/TOOL" }
  if ($commands.Count -gt 0) { Write-Line "Done: $($done -join ', '). To install a tool: $($commands -join ', or ')" }
  elseif ($done.Count -gt 0) { Write-Line "Done: $($done -join ', ')." }
}

function Stop-ForRights([string[]] $Denied) {
  Write-Note "This needs an administrator: $($Denied -join '; '). Nothing was changed. Run this again as administrator, or for one manager only: -Part scoop, -Part chocolatey."
  return 4
}

# Returns the exit code.
function Invoke-Run {
  $sections = @(Get-Parts)
  if ($sections.Count -eq 0) {
    Write-Note "$(Get-Missing) Install it first (https://chocolatey.org/install, https://scoop.sh), then run this again."
    return 1
  }
  if ($null -ne $Choco -and -not $Check -and -not $WhatIfPreference -and -not (Test-Path -LiteralPath $Choco.Config)) { [void](Invoke-Choco @('source', 'list', '--limit-output')) }
  Find-Tasks $sections
  if ($Check) { return Show-Check $sections }
  if ($WhatIfPreference) { return [int](Show-WhatIf $sections) }
  $denied = @(Get-Denied $sections)
  if ($denied.Count -gt 0) { return Stop-ForRights $denied }
  foreach ($section in @($sections | Where-Object { $_.Fault -ne '' })) { Write-Fault $section $section.Fault }
  if (-not $Remove) {
    Get-KeyFor $sections
    # The stored key may differ from the given one.
    Find-Tasks @($sections | Where-Object { $_.NeedsKey -and $_.Fault -eq '' })
    $denied = @(Get-Denied $sections)
    if ($denied.Count -gt 0) { return Stop-ForRights $denied }
    if ($Given.Missing -and @($sections | Where-Object { $_.Fault -eq '' }).Count -eq 0) {
      Write-Line 'Nothing was changed.'
      return 3
    }
    if (-not (Test-Answers $sections)) { return 3 }
  }
  foreach ($section in @($sections | Where-Object { $_.Fault -eq '' })) {
    try {
      $needs = "$(. $section.Needs)"
      if (@($sections | Where-Object { $_.Title -eq $needs -and $_.Fault -ne '' }).Count -gt 0) { throw "it needs $needs, which failed." }
      Invoke-Section $section
      [void](. $section.Notes)
    }
    catch { Write-Fault $section $_.Exception.Message }
  }
  Show-End $sections
  if ($Given.Missing) { return 3 }
  return [int](@($sections | Where-Object { $_.Fault -ne '' }).Count -gt 0)
}
