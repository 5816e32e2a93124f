<#
.SYNOPSIS
Searches known places for texts that must not be in an image. The answer has counts and places only.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-DefaultRoots {
    $windows = [string]$env:SystemRoot
    $roots = @("$windows\Temp", "$windows\Panther", "$windows\Setup\Scripts", "$windows\System32\Sysprep", "$windows\System32\Tasks", "$windows\Logs", "$windows\Debug", "$env:ProgramData\Reseal", "$env:ProgramData\chocolatey\logs", "$env:ProgramFiles\Cloudbase Solutions")
    foreach ($folder in @(Get-ChildItem -LiteralPath "$env:SystemDrive\Users" -Directory -Force -ErrorAction SilentlyContinue)) {
        $roots += @("$($folder.FullName)\AppData\Local\Temp", "$($folder.FullName)\AppData\Roaming\Microsoft\Windows\PowerShell", "$($folder.FullName)\Documents", "$($folder.FullName)\Desktop", "$($folder.FullName)\Downloads")
    }
    return @($roots | Where-Object { $_ -and (Test-Path -LiteralPath $_) })
}

# Shorter texts are found everywhere, so they are not searched for, but named in the answer.
$shortest = 6

function Get-Spellings {
    # A text as Windows and programs write it: as it is, escaped in XML and in JSON, in 16 bits, and as base64 of both as
    # answer files do.
    param([string]$Text)
    $latin = [Text.Encoding]::GetEncoding(28591)
    $json = (ConvertTo-Json -InputObject $Text -Compress).Trim('"')
    foreach ($written in @(@($Text, [Security.SecurityElement]::Escape($Text), $json) | Select-Object -Unique)) {
        $latin.GetString([Text.Encoding]::UTF8.GetBytes($written))
        $latin.GetString([Text.Encoding]::Unicode.GetBytes($written))
    }
    foreach ($encoding in [Text.Encoding]::UTF8, [Text.Encoding]::Unicode) {
        # The last character before the padding also depends on what follows it, so it is left out.
        $coded = [Convert]::ToBase64String($encoding.GetBytes($Text)).TrimEnd('=')
        $coded.Substring(0, $coded.Length - 1)
    }
}

function New-Needles {
    param($In, [Collections.ArrayList]$Short)
    $names = @($In.names)
    $secrets = @($In.secrets)
    for ($i = 0; $i -lt $secrets.Count; $i++) {
        $secret = [string]$secrets[$i]
        if ($secret.Length -lt $shortest) {
            $null = $Short.Add([string]$names[$i])
            continue
        }
        [pscustomobject]@{ name = [string]$names[$i]; forms = @(Get-Spellings $secret | Select-Object -Unique) }
    }
}

function Get-Count {
    param([string]$Text, [string]$Needle)
    $count = 0
    $at = $Text.IndexOf($Needle, [StringComparison]::Ordinal)
    while ($at -ge 0) {
        $count++
        $at = $Text.IndexOf($Needle, $at + $Needle.Length, [StringComparison]::Ordinal)
    }
    return $count
}

function Add-Hits {
    param([string]$Text, $Needles, [string]$Where, [string]$Path, [Collections.ArrayList]$Hits)
    foreach ($needle in $Needles) {
        $count = 0
        foreach ($form in $needle.forms) { $count += Get-Count $Text $form }
        if ($count -gt 0) { $null = $Hits.Add([ordered]@{ name = $needle.name; where = $Where; path = $Path; count = $count }) }
    }
}

function Read-Text {
    # A file as text of one character for each byte, whole.
    param([IO.FileInfo]$File)
    $latin = [Text.Encoding]::GetEncoding(28591)
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $stream = New-Object IO.FileStream($File.FullName, [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
    $reader = New-Object IO.StreamReader($stream, $latin, $false)
    try { return $reader.ReadToEnd() } finally { $reader.Dispose() }
}

function Add-Skipped {
    # What was not looked into; the first by name, the rest as a number.
    param([hashtable]$Skipped, [string]$Path, [string]$Why)
    $Skipped.count++
    if ($Skipped.list.Count -lt 20) { $null = $Skipped.list.Add([ordered]@{ path = $Path; why = $Why }) }
}

function Search-Files {
    # How many files were read.
    param([string[]]$Roots, $Needles, [long]$Limit, [Collections.ArrayList]$Hits, [hashtable]$Skipped)
    $scanned = 0
    foreach ($root in $Roots) {
        $closed = @()
        $files = @(Get-ChildItem -LiteralPath $root -Recurse -File -Force -ErrorAction SilentlyContinue -ErrorVariable closed)
        foreach ($folder in $closed) { Add-Skipped $Skipped ([string]$folder.TargetObject) 'unreadable' }
        foreach ($file in $files) {
            if ($file.Length -gt $Limit) {
                Add-Skipped $Skipped $file.FullName 'too_large'
                continue
            }
            try { $text = Read-Text $file } catch {
                if (Test-Path -LiteralPath $file.FullName) { Add-Skipped $Skipped $file.FullName 'unreadable' }
                continue
            }
            $scanned++
            $where = if ($file.FullName -like '*\System32\Tasks\*') { 'task' } else { 'file' }
            Add-Hits $text $Needles $where $file.FullName $Hits
        }
    }
    return $scanned
}

function Search-Registry {
    # How many values were read.
    param($Needles, [Collections.ArrayList]$Hits)
    $keys = @(
        'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon',
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Run',
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce',
        'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment',
        'HKLM:\SOFTWARE\Reseal', 'HKLM:\SOFTWARE\Reseal\Undo',
        'HKCU:\Environment', 'HKCU:\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\RunMRU'
    )
    $latin = [Text.Encoding]::GetEncoding(28591)
    $scanned = 0
    foreach ($path in $keys) {
        $key = Get-Item -LiteralPath $path -ErrorAction SilentlyContinue
        if ($null -eq $key) { continue }
        foreach ($name in $key.GetValueNames()) {
            $scanned++
            $text = @($key.GetValue($name)) -join "`n"
            Add-Hits $latin.GetString([Text.Encoding]::UTF8.GetBytes($text)) $Needles 'registry' "$path, $name" $Hits
        }
    }
    return $scanned
}

function Search-Events {
    # Script block logging keeps whole scripts.
    param($Needles, [Collections.ArrayList]$Hits)
    $latin = [Text.Encoding]::GetEncoding(28591)
    foreach ($log in 'Microsoft-Windows-PowerShell/Operational', 'Windows PowerShell') {
        $events = @(Get-WinEvent -LogName $log -MaxEvents 2000 -ErrorAction SilentlyContinue)
        foreach ($one in $events) { Add-Hits $latin.GetString([Text.Encoding]::UTF8.GetBytes([string]$one.Message)) $Needles 'event_log' $log $Hits }
    }
}

function Invoke-Operation {
    param($In)
    if (@($In.secrets).Count -ne @($In.names).Count) { Stop-Operation -Kind 'invalid_input' -Message 'There are not as many names as secrets.' }
    $short = New-Object Collections.ArrayList
    $needles = @(New-Needles $In $short)
    $hits = New-Object Collections.ArrayList
    $skipped = @{ count = 0; list = (New-Object Collections.ArrayList) }
    $roots = if ($null -ne $In.roots) { @($In.roots) } else { Get-DefaultRoots }
    $files = Search-Files $roots $needles ([long]$In.max_file_bytes) $hits $skipped
    $values = Search-Registry $needles $hits
    Search-Events $needles $hits
    Send-Result ([ordered]@{
            scanned_files = $files; scanned_values = $values; hits = @($hits.ToArray() | Select-Object -First 200)
            skipped_files = $skipped.count; skipped = @($skipped.list.ToArray()); short = @($short.ToArray())
        })
}
