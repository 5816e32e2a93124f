<#
.SYNOPSIS
Runs lines of the command prompt as a batch file.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $path = Join-Path $In.work 'commands.cmd'
    $lines = @('@echo off', 'chcp 65001 >nul') + @([regex]::Split([string]$In.command, '\r?\n'))
    [IO.File]::WriteAllText($path, ($lines -join "`r`n") + "`r`n", (New-Object Text.UTF8Encoding($false)))
    Send-Run -In $In -What 'The command' -File (Join-Path $env:SystemRoot 'System32\cmd.exe') -CommandLine ('/d /s /c ""' + $path + '""') -Temporary $path
}
