<#
.SYNOPSIS
Unpacks a zip file; entries that point out of the folder are refused.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-Target {
    # Where an entry goes; refused when that is not below the folder.
    param([string]$Root, [string]$Name)
    $separator = [IO.Path]::DirectorySeparatorChar
    $target = [IO.Path]::GetFullPath([IO.Path]::Combine($Root, $Name.Replace('/', $separator).Replace('\', $separator)))
    if (-not $target.StartsWith($Root.TrimEnd($separator) + $separator, [StringComparison]::OrdinalIgnoreCase)) {
        Stop-Operation -Kind 'unsafe_entry' -Message "The entry $Name points out of the folder."
    }
    return $target
}

function Expand-Entry {
    param($Entry, [string]$Target)
    if ($Entry.FullName -match '[\\/]$') {
        $null = New-Item -ItemType Directory -Path $Target -Force
        return
    }
    $null = New-Item -ItemType Directory -Path (Split-Path -Parent $Target) -Force
    $source = $Entry.Open()
    try {
        $file = [IO.File]::Create($Target)
        try { $source.CopyTo($file) } finally { $file.Dispose() }
    } finally {
        $source.Dispose()
    }
    [IO.File]::SetLastWriteTimeUtc($Target, $Entry.LastWriteTime.UtcDateTime)
}

function Expand-Zip {
    # How many files came out.
    param([string]$Path, [string]$Root)
    Add-Type -AssemblyName System.IO.Compression
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    try { $archive = [IO.Compression.ZipFile]::OpenRead($Path) } catch { Stop-Operation -Kind 'bad_archive' -Message "$Path is no zip file: $($_.Exception.InnerException.Message)" }
    try {
        # All names are looked at before the first file is written.
        $targets = @(foreach ($entry in $archive.Entries) { Get-Target $Root $entry.FullName })
        $index = 0
        foreach ($entry in $archive.Entries) {
            Expand-Entry $entry $targets[$index]
            $index++
        }
        return $index
    } finally {
        $archive.Dispose()
    }
}

function Invoke-Operation {
    param($In)
    $before = Get-Detected $In.detect
    if ($null -ne $before -and $before.present) {
        $result = New-StepResult -Already $true -Detail $before.detail
        $result.before = $before
        $result.after = $before
        Send-Result $result
        return
    }
    Assert-Payload $In.archive
    $root = [Environment]::ExpandEnvironmentVariables($In.to)
    $null = New-Item -ItemType Directory -Path $root -Force
    $root = (Get-Item -LiteralPath $root).FullName
    $count = Expand-Zip $In.archive.path $root
    $result = New-StepResult -Changed $true -Detail "$count entries into $root"
    $result.before = $before
    $result.after = Get-Detected $In.detect
    if ($null -ne $result.after -and -not $result.after.present) { Stop-Operation -Kind 'not_detected' -Message "It was unpacked, but detection says: $($result.after.detail)." }
    Send-Result $result
}
