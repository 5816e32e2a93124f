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

function Set-Capability {
    param($In, [string]$Name)
    if ($In.state -eq 'absent') { return Remove-WindowsCapability -Online -Name $Name }
    $arguments = @{ Online = $true; Name = $Name }
    if ($In.source) { $arguments['Source'] = $In.source; $arguments['LimitAccess'] = $true }
    return Add-WindowsCapability @arguments
}

function Invoke-Operation {
    param($In)
    $absent = $In.state -eq 'absent'
    $arguments = @{
        Kind   = 'capability'
        Names  = @($In.names)
        Wanted = if ($absent) { @('NotPresent', 'Staged', 'Removed') } else { @('Installed') }
        Absent = $absent
        Verb   = if ($absent) { 'removed' } else { 'added' }
        Read   = { param([string]$Name) Get-WindowsCapability -Online -Name $Name }
        Change = { param([string]$Name) Set-Capability $In $Name }
    }
    Set-Servicing @arguments
}
