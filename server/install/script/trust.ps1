# Who can change a file or a folder, and who can read it: others may not exchange what an administrator runs.

# SYSTEM, Administrators, TrustedInstaller, Domain Admins, and whoever creates something (it is theirs alone).
$trusted = '\AS-1-(5-18|5-32-544|3-0|5-80-956008885-3418522649-1831038044-1853292631-2271478464|5-21-.+-512)\z'
# Create, append, delete, change permissions or the owner, and the generic ones.
$changes = 0x500D0046
# Of a folder above: what is made beside the next one does not change it.
$moves = 0x500D0040
# A drive's root cannot be moved.
$rootMoves = 0x500C0040
$reads = 0x900C0001

# Who besides the trusted, and besides the user $Me, has one of these rights.
function Get-Others([string] $Path, [int] $Rights, [string] $Me = '') {
  if (-not (Test-Windows)) { return }
  $acl = Get-Acl -LiteralPath $Path
  $sids = @($acl.GetOwner([Security.Principal.SecurityIdentifier]))
  foreach ($rule in $acl.GetAccessRules($true, $true, [Security.Principal.SecurityIdentifier])) {
    # 2: for what will be made in it alone.
    $isHere = ([int]$rule.PropagationFlags -band 2) -eq 0
    if ($isHere -and $rule.AccessControlType -eq 'Allow' -and ([int]$rule.FileSystemRights -band $Rights) -ne 0) { $sids += $rule.IdentityReference }
  }
  foreach ($sid in $sids) {
    if ($sid.Value -match $trusted -or $sid.Value -eq $Me) { continue }
    try { $sid.Translate([Security.Principal.NTAccount]).Value }
    catch { $sid.Value }
  }
}

# Who can change it, put another in place of a folder above it, or lead a link on the way elsewhere.
function Get-Writers([string] $Path, [string] $Me = '') {
  if (-not (Test-FixedDrive $Path)) { 'whoever has that server or drive'; return }
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

# What administrators run, and where they write: a folder such as C:\ProgramData\chocolatey can be made by any user when it is not there.
$Checked = @{}
function Assert-OutOfReach([string[]] $Paths) {
  if (-not (Test-Admin)) { return }
  foreach ($path in $Paths) {
    if ($Checked.ContainsKey($path) -or -not (Test-Path -LiteralPath $path)) { continue }
    $writers = @(Get-Writers $path (Get-Me) | Select-Object -Unique)
    if ($writers.Count -gt 0) { throw "Nothing is done with $path as administrator: $($writers -join ', ') can change it, and so what an administrator runs. Leave it to administrators alone (its owner, its permissions, and those of the folders above), or run this without administrator rights." }
    $Checked[$path] = $true
  }
}

# All that is in the PATH of the machine is run by all; that one administrator owns it is not enough.
function Assert-AdminsOnly([string] $Dir) {
  $paths = @($Dir) + @(Get-ChildItem -LiteralPath $Dir -Force | ForEach-Object { $_.FullName })
  $writers = @($paths | ForEach-Object { Get-Writers $_ } | Select-Object -Unique)
  if ($writers.Count -eq 0) { return }
  throw "$Dir does not go into the PATH of this machine: $($writers -join ', ') can change what is in it, or put another folder in its place, and so what all users and administrators run. Take a folder that administrators alone can write, such as one below $env:ProgramFiles, or run this without administrator rights for the PATH of this user."
}
