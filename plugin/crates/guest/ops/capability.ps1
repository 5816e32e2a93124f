<#
.SYNOPSIS
Adds or removes capabilities of Windows.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-CapabilityState {
    param([string]$Name)
    try {
        $capability = Get-WindowsCapability -Online -Name $Name
    } catch {
        Stop-Servicing $_ "The capability $Name"
    }
    if ($null -eq $capability -or -not $capability.Name) { Stop-Operation -Kind 'unknown_feature' -Message "There is no capability named $Name." }
    return [string]$capability.State
}

function Set-Capability {
    param($In, [string]$Name)
    try {
        if ($In.state -eq 'absent') { return Remove-WindowsCapability -Online -Name $Name }
        $arguments = @{ Online = $true; Name = $Name }
        if ($In.source) { $arguments['Source'] = $In.source; $arguments['LimitAccess'] = $true }
        return Add-WindowsCapability @arguments
    } catch {
        Stop-Servicing $_ "The capability $Name"
    }
}

function Invoke-Operation {
    param($In)
    $wanted = if ($In.state -eq 'absent') { @('NotPresent', 'Staged', 'Removed') } else { @('Installed') }
    $items = @(foreach ($name in @($In.names)) {
            if ($wanted -contains (Get-CapabilityState $name)) {
                New-ServicingItem -Id $name -Title $name -State 'already'
                continue
            }
            $answer = Set-Capability $In $name
            $after = Get-CapabilityState $name
            $pending = $after -like '*Pending'
            if ($wanted -notcontains $after -and -not $pending) {
                Stop-Operation -Kind 'not_detected' -Message "Windows said success, but $name is $after."
            }
            New-ServicingItem -Id $name -Title $name -State 'installed' -Reboot ($pending -or [bool]$answer.RestartNeeded)
        })
    Send-ServicingResult -Items $items -Verb $(if ($In.state -eq 'absent') { 'removed' } else { 'added' })
}
