# Who can change a file or a folder, and who can read it: others must not be able to replace what an administrator runs.

# SYSTEM, Administrators, TrustedInstaller, Domain Admins, and CREATOR OWNER (whose files are only their own).
$trusted = '\AS-1-(5-18|5-32-544|3-0|5-80-956008885-3418522649-1831038044-1853292631-2271478464|5-21-.+-512)\z'
# Create, append, delete, change permissions or the owner, and the generic rights.
$changes = 0x500D0046
# For a parent folder: creating something else in it does not change the file.
$moves = 0x500D0040
# A drive's root cannot be moved.
$rootMoves = 0x500C0040
$reads = 0x900C0001

# Who has one of these rights, other than the trusted and the user $Me.
function Get-Others([string] $Path, [int] $Rights, [string] $Me = '') {
  if (-not (Test-Windows)) { return }
  $acl = Get-Acl -LiteralPath $Path
  $sids = @($acl.GetOwner([Security.Principal.SecurityIdentifier]))
  foreach ($rule in $acl.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
    # 2: only applies to what will be created in it.
    $isHere = ([int]$rule.PropagationFlags -band 2) -eq 0
    if ($isHere -and $rule.AccessControlType -eq 'Allow' -and ([int]$rule.FileSystemRights -band $Rights) -ne 0) { $sids += $rule.IdentityReference }
  }
  foreach ($sid in $sids) {
    if ($sid.Value -match $trusted -or $sid.Value -eq $Me) { continue }
    try { $sid.Translate([Security.Principal.NTAccount]).Value }
    catch { $sid.Value }
  }
}

# Who can change it, replace a parent folder, or redirect a link on the way.
function Get-Writers([string] $Path, [string] $Me = '') {
  if (-not (Test-FixedDrive $Path)) { 'whoever controls that server or drive'; return }
  $at = $Path
  $rights = $changes
  while ($at) {
    $above = [IO.Path]::GetDirectoryName($at)
    Get-Others $at $rights $Me
    $item = Get-Item -LiteralPath $at -Force
    if (([int]$item.Attributes -band [int][IO.FileAttributes]::ReparsePoint) -ne 0) {
      foreach ($target in @($item.Target | Where-Object { $_ })) { Get-Writers ([IO.Path]::Combine($above, $target)) $Me }
    }
    $rights = $moves
    if ($above -and -not [IO.Path]::GetDirectoryName($above)) { $rights = $rootMoves }
    $at = $above
  }
}

# What administrators run, and where they write: any user can create a folder such as C:\ProgramData\chocolatey if it does not
# exist.
$Checked = @{}
function Assert-OutOfReach([string[]] $Paths) {
  if (-not (Test-Admin)) { return }
  foreach ($path in $Paths) {
    if ($Checked.ContainsKey($path) -or -not (Test-Path -LiteralPath $path)) { continue }
    $writers = @(Get-Writers $path (Get-Me) | Select-Object -Unique)
    if ($writers.Count -gt 0) { throw "$path is not used as administrator: $($writers -join ', ') can change it, and so what an administrator runs. Allow only administrators to change it (its owner, its permissions, and those of the folders above), or run this without administrator rights." }
    $Checked[$path] = $true
  }
}

# Everybody runs what is in the machine's PATH, so it is not enough that one administrator owns it.
function Assert-AdminsOnly([string] $Dir) {
  $paths = @($Dir) + @(Get-ChildItem -LiteralPath $Dir -Force | ForEach-Object { $_.FullName })
  $writers = @($paths | ForEach-Object { Get-Writers $_ } | Select-Object -Unique)
  if ($writers.Count -eq 0) { return }
  throw "$Dir cannot be added to the PATH of this machine: $($writers -join ', ') can change its content, or put another folder in its place, and so change what all users and administrators run. Use a folder that only administrators can write to, such as one below $env:ProgramFiles, or run this without administrator rights for the PATH of this user."
}
