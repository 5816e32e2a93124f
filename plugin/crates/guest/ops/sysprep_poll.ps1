<#
.SYNOPSIS
Looks how sysprep is getting on.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Read-Status {
    # The wrapper replaces the file; a moment without it is possible.
    param([string]$Work)
    $file = Join-Path $Work 'status.json'
    for ($try = 0; $try -lt 5; $try++) {
        try {
            if (-not (Test-Path -LiteralPath $file)) { return $null }
            return ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file))
        } catch {
            Start-Sleep -Milliseconds 100
        }
    }
    return $null
}

function Invoke-Operation {
    param($In)
    if ($In.seen -and (Test-Path -LiteralPath $In.work)) {
        $null = New-Item -ItemType File -Path (Join-Path $In.work 'seen') -Force
    }
    $task = Get-OwnTask (Get-TaskFolder) $In.task
    $logs = Join-Path $env:SystemRoot 'System32\Sysprep\Panther'
    $state = 'missing'
    if ($null -ne $task) { $state = if (@(2, 4) -contains [int]$task.State) { 'running' } else { 'ready' } }
    Send-Result ([ordered]@{
            status          = Read-Status $In.work
            task_state      = $state
            task_result     = if ($null -ne $task) { '0x{0:X8}' -f (ConvertTo-Code $task.LastTaskResult) } else { $null }
            sysprep_running = @(Get-Process -Name sysprep -ErrorAction SilentlyContinue).Count
            act             = Read-Tail -Path (Join-Path $logs 'setupact.log') -Offset ([long]$In.act_offset) -Whole ($state -ne 'running')
            err             = Read-Tail -Path (Join-Path $logs 'setuperr.log') -Offset ([long]$In.err_offset) -Whole ($state -ne 'running')
            evidence        = Get-Evidence
        })
}
