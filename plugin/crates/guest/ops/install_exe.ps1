<#
.SYNOPSIS
Runs an installer program of a known family, between two detections.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-ExeArguments {
    # The arguments with the log and the response file in their places; the folder comes last, where NSIS wants it.
    param($In)
    $line = New-Object Collections.Generic.List[string]
    foreach ($argument in @($In.arguments)) {
        $text = [string]$argument
        if ($In.family -eq 'installshield-script' -and $text -match '^/f[12]\{') {
            # InstallShield wants the quotes inside: /f1"C:\x.iss"
            $path = if ($text.StartsWith('/f1')) { $In.response_file.path } else { [string]$In.log }
            $line.Add($text.Substring(0, 3) + '"' + $path + '"')
            continue
        }
        if ($In.family -eq 'installshield-msi' -and $text.StartsWith('/v')) {
            $line.Add('/v"' + $text.Substring(2).Replace('{log}', '\"' + [string]$In.log + '\"') + '"')
            continue
        }
        $line.Add((ConvertTo-Argument ($text.Replace('{log}', [string]$In.log))))
    }
    if ($In.directory -and $In.family -eq 'inno') { $line.Add('/DIR="' + $In.directory + '"') }
    if ($In.directory -and $In.family -eq 'nsis') { $line.Add('/D=' + $In.directory) }
    return ($line -join ' ')
}

function Get-ResultCode {
    # InstallScript tells the truth in its log only; the process ends with 0.
    param([string]$Log, [long]$Code)
    if (-not (Test-Path -LiteralPath $Log)) { return $Code }
    $match = [regex]::Match([IO.File]::ReadAllText($Log), '(?m)^\s*ResultCode\s*=\s*(-?\d+)')
    if (-not $match.Success) { return $Code }
    return ConvertTo-Code ([long]$match.Groups[1].Value)
}

function Invoke-Operation {
    param($In)
    $detection = $In.detect
    $log = [string]$In.log
    $reader = $null
    if ($In.family -eq 'installshield-script') { $reader = { param($Code) Get-ResultCode $log $Code } }
    $arguments = @{
        In          = $In
        File        = $In.exe.path
        CommandLine = Get-ExeArguments $In
        Logs        = @($log)
        Detect      = { Get-Detected $detection }
        Verify      = { foreach ($payload in @($In.exe, $In.response_file)) { if ($null -ne $payload) { Assert-Payload $payload } } }
        ReadCode    = $reader
    }
    Invoke-Installer @arguments
}
