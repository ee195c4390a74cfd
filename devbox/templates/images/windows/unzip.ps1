<#
.SYNOPSIS
Unpacks one file of a zip (-Entry), or the folder in it that holds a certain file (-Holding), wherever that folder is: Go's own zip has
all below `go/`, the one of a module proxy below `golang.org/toolchain@VERSION/`.
.NOTES
For Windows PowerShell 5.1, whose Expand-Archive knows neither and is slow.
#>
[CmdletBinding(DefaultParameterSetName = 'File')]
param(
  [Parameter(Mandatory)] [string] $Zip,
  [Parameter(Mandatory)] [string] $To,
  [Parameter(Mandatory, ParameterSetName = 'File')] [string] $Entry,
  [Parameter(Mandatory, ParameterSetName = 'Folder')] [string] $Holding
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
Add-Type -AssemblyName System.IO.Compression
Add-Type -AssemblyName System.IO.Compression.FileSystem

$target = [IO.Path]::GetFullPath($To)
$archive = [IO.Compression.ZipFile]::OpenRead([IO.Path]::GetFullPath($Zip))
try {
  if ($PSCmdlet.ParameterSetName -eq 'File') {
    $found = $archive.GetEntry($Entry)
    if ($null -eq $found) { throw "unzip: $Zip has no $Entry" }
    [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($target))
    [IO.Compression.ZipFileExtensions]::ExtractToFile($found, $target, $true)
    Write-Output $target
    return
  }

  # The one that is highest: files of that name may lie deeper, too.
  $mark = $archive.Entries | Where-Object { $_.Name -ceq $Holding } | Sort-Object { $_.FullName.Length } | Select-Object -First 1
  if ($null -eq $mark) { throw "unzip: $Zip has no file $Holding" }
  $prefix = $mark.FullName.Substring(0, $mark.FullName.Length - $Holding.Length)
  $inside = $target.TrimEnd([IO.Path]::DirectorySeparatorChar) + [IO.Path]::DirectorySeparatorChar
  foreach ($one in $archive.Entries) {
    if ($one.Name -eq '' -or -not $one.FullName.StartsWith($prefix, [StringComparison]::Ordinal)) { continue }
    $path = [IO.Path]::GetFullPath([IO.Path]::Combine($target, $one.FullName.Substring($prefix.Length)))
    if (-not $path.StartsWith($inside, [StringComparison]::Ordinal)) { throw "unzip: $Zip has $($one.FullName), which leads out of $To" }
    [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
    [IO.Compression.ZipFileExtensions]::ExtractToFile($one, $path, $true)
  }
  Write-Output $target
}
finally {
  $archive.Dispose()
}
