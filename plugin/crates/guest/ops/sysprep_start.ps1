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
    $texts = [ordered]@{
        'settings.json'       = ConvertTo-Json -InputObject ([ordered]@{ task = $In.task; work = $In.work; settings = $In.settings }) -Compress -Depth 6
        'sysprep_wrapper.ps1' = $In.wrapper
    }
    # The wrapper has a deadline of its own; the task scheduler must never end it in the middle.
    Send-TaskFromFiles -Name $In.task -Work $In.work -Texts $texts -Old @('status.json', 'seen') -Main 'sysprep_wrapper.ps1' -RunAs 'user' -Seconds 0
}
