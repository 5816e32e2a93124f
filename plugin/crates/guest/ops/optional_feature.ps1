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

function Set-Feature {
    param($In, [string]$Name)
    if ($In.state -eq 'absent') { return Disable-WindowsOptionalFeature -Online -FeatureName $Name -NoRestart }
    $arguments = @{ Online = $true; FeatureName = $Name; NoRestart = $true }
    if ($In.all) { $arguments['All'] = $true }
    if ($In.source) { $arguments['Source'] = $In.source; $arguments['LimitAccess'] = $true }
    return Enable-WindowsOptionalFeature @arguments
}

function Invoke-Operation {
    param($In)
    $absent = $In.state -eq 'absent'
    $arguments = @{
        Kind   = 'feature'
        Names  = @($In.names)
        Wanted = if ($absent) { @('Disabled', 'DisabledWithPayloadRemoved') } else { @('Enabled') }
        Absent = $absent
        Verb   = if ($absent) { 'disabled' } else { 'enabled' }
        Read   = { param([string]$Name) Get-WindowsOptionalFeature -Online -FeatureName $Name }
        Change = { param([string]$Name) Set-Feature $In $Name }
    }
    Set-Servicing @arguments
}
