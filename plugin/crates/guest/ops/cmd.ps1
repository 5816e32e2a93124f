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
    $folder = if ($In.folder) { $In.folder } else { $In.work }
    $arguments = @{
        File        = Join-Path $env:SystemRoot 'System32\cmd.exe'
        CommandLine = '/d /s /c ""' + $path + '""'
        Seconds     = [int]$In.timeout_seconds
        Folder      = $folder
        Environment = $In.environment
        Utf8        = $true
    }
    try {
        $run = Invoke-Program @arguments
    } finally {
        Remove-Item -LiteralPath $path -Force -ErrorAction SilentlyContinue
    }
    if ($run.timed_out) { Stop-Operation -Kind 'timeout' -Message "The commands did not end within $($In.timeout_seconds) seconds." }
    if (@($In.codes.success) -notcontains $run.code) {
        $said = @($run.tail | Where-Object { $_.Trim() } | Select-Object -Last 3) -join ' | '
        Stop-Operation -Kind 'exit_code' -Code $run.code -Message "The commands ended with exit code $($run.code): $said"
    }
    $result = New-StepResult -Changed $true -Detail "ended after $($run.seconds) s"
    $result.exit_code = $run.code
    $result.reboot_required = @($In.codes.reboot) -contains $run.code
    Send-Result $result
}
