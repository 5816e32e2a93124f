<#
.SYNOPSIS
Switches optional features of Windows on or off.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-FeatureState {
    param([string]$Name)
    try {
        $feature = Get-WindowsOptionalFeature -Online -FeatureName $Name
    } catch {
        Stop-Servicing $_ "The feature $Name"
    }
    if ($null -eq $feature) { Stop-Operation -Kind 'unknown_feature' -Message "There is no feature named $Name." }
    return [string]$feature.State
}

function Set-Feature {
    param($In, [string]$Name)
    try {
        if ($In.state -eq 'absent') { return Disable-WindowsOptionalFeature -Online -FeatureName $Name -NoRestart }
        $arguments = @{ Online = $true; FeatureName = $Name; NoRestart = $true }
        if ($In.all) { $arguments['All'] = $true }
        if ($In.source) { $arguments['Source'] = $In.source; $arguments['LimitAccess'] = $true }
        return Enable-WindowsOptionalFeature @arguments
    } catch {
        Stop-Servicing $_ "The feature $Name"
    }
}

function Invoke-Operation {
    param($In)
    $wanted = if ($In.state -eq 'absent') { @('Disabled', 'DisabledWithPayloadRemoved') } else { @('Enabled') }
    $items = @(foreach ($name in @($In.names)) {
            if ($wanted -contains (Get-FeatureState $name)) {
                New-ServicingItem -Id $name -Title $name -State 'already'
                continue
            }
            $answer = Set-Feature $In $name
            $after = Get-FeatureState $name
            $pending = $after -like '*Pending'
            if ($wanted -notcontains $after -and -not $pending) {
                Stop-Operation -Kind 'not_detected' -Message "Windows said success, but $name is $after."
            }
            New-ServicingItem -Id $name -Title $name -State 'installed' -Reboot ($pending -or [bool]$answer.RestartNeeded)
        })
    Send-ServicingResult -Items $items -Verb $(if ($In.state -eq 'absent') { 'disabled' } else { 'enabled' })
}
