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
    $changed = @($Items | Where-Object { $_.state -eq 'installed' })
    $result = New-StepResult -Changed ($changed.Count -gt 0) -Already ($changed.Count -eq 0)
    $result.items = @($Items)
    $result.reboot_required = (@($Items | Where-Object { $_.reboot_required }).Count -gt 0)
    $names = @($changed | ForEach-Object { $_.id }) -join ', '
    $result.detail = if ($changed.Count -gt 0) { "$Verb $names" } else { 'nothing to do' }
    Send-Result $result
}
