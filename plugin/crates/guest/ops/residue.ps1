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

function New-Needles {
    # Each text in the forms in which Windows writes it: plain, in 16 bits, and as base64 of both as answer files do.
    param($In)
    $names = @($In.names)
    $secrets = @($In.secrets)
    $latin = [Text.Encoding]::GetEncoding(28591)
    for ($i = 0; $i -lt $secrets.Count; $i++) {
        $secret = [string]$secrets[$i]
        if ($secret.Length -lt 4) { continue }
        $forms = @(
            $latin.GetString([Text.Encoding]::UTF8.GetBytes($secret)),
            $latin.GetString([Text.Encoding]::Unicode.GetBytes($secret)),
            [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($secret)).TrimEnd('='),
            [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($secret)).TrimEnd('=')
        )
        # The last character before the padding also depends on what follows it, so it is left out.
        $forms[2] = $forms[2].Substring(0, $forms[2].Length - 1)
        $forms[3] = $forms[3].Substring(0, $forms[3].Length - 1)
        [pscustomobject]@{ name = [string]$names[$i]; plain = $secret; forms = @($forms | Select-Object -Unique) }
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

function Search-Files {
    # How many files were read.
    param([string[]]$Roots, $Needles, [long]$Limit, [Collections.ArrayList]$Hits)
    $latin = [Text.Encoding]::GetEncoding(28591)
    $scanned = 0
    foreach ($root in $Roots) {
        foreach ($file in @(Get-ChildItem -LiteralPath $root -Recurse -File -Force -ErrorAction SilentlyContinue)) {
            if ($file.Length -gt $Limit -or $file.Length -eq 0) { continue }
            try {
                $stream = New-Object IO.FileStream($file.FullName, [IO.FileMode]::Open, [IO.FileAccess]::Read, ([IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete))
                try {
                    $bytes = New-Object byte[] ([int]$stream.Length)
                    $read = $stream.Read($bytes, 0, $bytes.Length)
                } finally {
                    $stream.Dispose()
                }
            } catch {
                continue
            }
            $scanned++
            $where = if ($file.FullName -like '*\System32\Tasks\*') { 'task' } else { 'file' }
            Add-Hits $latin.GetString($bytes, 0, $read) $Needles $where $file.FullName $Hits
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
    $needles = @(New-Needles $In)
    $hits = New-Object Collections.ArrayList
    $roots = if ($null -ne $In.roots) { @($In.roots) } else { Get-DefaultRoots }
    $files = Search-Files $roots $needles ([long]$In.max_file_bytes) $hits
    $values = Search-Registry $needles $hits
    Search-Events $needles $hits
    Send-Result ([ordered]@{ scanned_files = $files; scanned_values = $values; hits = @($hits.ToArray() | Select-Object -First 200) })
}
