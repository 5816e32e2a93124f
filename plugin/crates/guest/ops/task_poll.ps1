<#
.SYNOPSIS
Looks how a task is getting on.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Read-Answer {
    # The operation's whole answer, or $null. It is moved into place complete.
    param([string]$Work)
    $file = Join-Path $Work 'answer.json'
    if (-not (Test-Path -LiteralPath $file)) { return $null }
    return ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file))
}

function Get-State {
    param($Task, $Answer)
    if ($null -ne $Answer) { return 'done' }
    if ($null -eq $Task) { return 'missing' }
    # 2 queued, 4 running; 0x41303 has not run yet
    if (@(2, 4) -contains [int]$Task.State -or [long]$Task.LastTaskResult -eq 267011) { return 'running' }
    return 'died'
}

function Invoke-Operation {
    param($In)
    $task = Get-OwnTask (Get-TaskFolder) $In.task
    $answer = Read-Answer $In.work
    $state = Get-State $task $answer
    if ($state -eq 'died') {
        # The task may have ended between the two looks.
        Start-Sleep -Milliseconds 300
        $answer = Read-Answer $In.work
        $state = Get-State $task $answer
    }
    $tail = Read-Tail -Path (Join-Path $In.work 'log.txt') -Offset ([long]$In.offset) -Whole ($state -ne 'running')
    Send-Result ([ordered]@{
            state       = $state
            log         = $tail.text
            offset      = $tail.offset
            result      = $answer
            task_result = if ($null -ne $task) { '0x{0:X8}' -f (ConvertTo-Code $task.LastTaskResult) } else { $null }
        })
}
