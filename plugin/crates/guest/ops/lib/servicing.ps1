# Servicing: what the errors of features, capabilities and app packages mean.

function Stop-Servicing {
    # Turns a servicing exception into a named failure.
    param([Parameter(Mandatory)][Management.Automation.ErrorRecord]$Record, [Parameter(Mandatory)][string]$What)
    $code = Get-ErrorCode $Record.Exception
    $number = [Convert]::ToInt64($code.Substring(2), 16)
    $kind = switch ($code) {
        '0x800F080C' { 'unknown_feature' }
        '0x800F081F' { 'source_missing' }
        '0x800F0906' { 'source_missing' }
        '0x800F0907' { 'source_missing' }
        '0x800F0954' { 'source_missing' }
        '0x80070005' { 'access_denied' }
        '0x80070032' { 'unsupported' }
        default { 'exit_code' }
    }
    $logs = @("$env:SystemRoot\Logs\DISM\dism.log", "$env:SystemRoot\Logs\CBS\CBS.log") | Where-Object { Test-Path -LiteralPath $_ }
    Stop-Operation -Kind $kind -Code $number -Message "${What}: $($Record.Exception.Message)" -HResult $code -Logs @($logs)
}

function New-ServicingItem {
    # One entry of "items".
    param([string]$Id, [string]$Title, [string]$State, $Code = $null, [bool]$Reboot = $false)
    return [ordered]@{ id = $Id; title = $Title; state = $State; code = $Code; reboot_required = $Reboot }
}

function Send-ServicingResult {
    # Sums single items up.
    param([object[]]$Items = @(), [string]$Verb)
    $changed = @($Items | Where-Object { $_.state -ne 'already' })
    $result = New-StepResult -Changed ($changed.Count -gt 0) -Already ($changed.Count -eq 0)
    $result.items = @($Items)
    $result.reboot_required = (@($Items | Where-Object { $_.reboot_required }).Count -gt 0)
    $names = @($changed | ForEach-Object { $_.id }) -join ', '
    $result.detail = if ($changed.Count -gt 0) { "$Verb $names" } else { 'nothing to do' }
    Send-Result $result
}

function Read-ServicingState {
    # The state of a feature or capability by $Read, which gets its name and answers an object; "unknown_feature" without one.
    param([string]$Kind, [string]$Name, [scriptblock]$Read)
    try {
        $found = & $Read $Name
    } catch {
        Stop-Servicing $_ "The $Kind $Name"
    }
    # Get-WindowsCapability answers an object without a name for what it does not know.
    $named = if ($null -ne $found -and $found.PSObject.Properties['Name']) { [bool]$found.Name } else { $null -ne $found }
    if (-not $named) { Stop-Operation -Kind 'unknown_feature' -Message "There is no $Kind named $Name." }
    return [string]$found.State
}

function Set-Servicing {
    # Brings each name into one of the wanted states, and sends the result.
    param([string]$Kind, [string[]]$Names, [string[]]$Wanted, [bool]$Absent, [string]$Verb, [scriptblock]$Read, [scriptblock]$Change)
    $done = if ($Absent) { 'removed' } else { 'installed' }
    $items = @(foreach ($name in $Names) {
            if ($Wanted -contains (Read-ServicingState $Kind $name $Read)) {
                New-ServicingItem -Id $name -Title $name -State 'already'
                continue
            }
            try { $answer = & $Change $name } catch { Stop-Servicing $_ "The $Kind $name" }
            $after = Read-ServicingState $Kind $name $Read
            $pending = $after -like '*Pending'
            if ($Wanted -notcontains $after -and -not $pending) {
                Stop-Operation -Kind 'not_detected' -Message "Windows said success, but $name is $after."
            }
            New-ServicingItem -Id $name -Title $name -State $done -Reboot ($pending -or [bool]$answer.RestartNeeded)
        })
    Send-ServicingResult -Items $items -Verb $Verb
}
