<#
.SYNOPSIS
Writes the sysprep wrapper and starts it as a scheduled task.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $folder = Get-TaskFolder
    if ($null -ne (Get-OwnTask $folder $In.task)) {
        Send-Result ([ordered]@{ started = $false })
        return
    }
    New-PrivateFolder $In.work
    Remove-Item -LiteralPath (Join-Path $In.work 'status.json') -Force -ErrorAction SilentlyContinue
    $utf8 = New-Object Text.UTF8Encoding($false)
    $settings = ConvertTo-Json -InputObject ([ordered]@{ task = $In.task; work = $In.work; settings = $In.settings }) -Compress -Depth 6
    [IO.File]::WriteAllText((Join-Path $In.work 'settings.json'), $settings, $utf8)
    $file = Join-Path $In.work 'sysprep_wrapper.ps1'
    [IO.File]::WriteAllText($file, [string]$In.wrapper, $utf8)
    # The wrapper has a deadline of its own; the task scheduler must never end it in the middle.
    Start-OwnTask -Name $In.task -File $file -RunAs 'user' -Seconds 0
    Send-Result ([ordered]@{ started = $true })
}
