<#
.SYNOPSIS
Installs or removes roles and features of Windows Server.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-FeatureStates {
    param([string[]]$Names)
    $states = @{}
    foreach ($feature in @(Get-WindowsFeature -Name $Names -ErrorAction SilentlyContinue)) { $states[[string]$feature.Name] = [string]$feature.InstallState } # winps: ignore C105 servers only; asked for before
    return $states
}

function Set-Features {
    param($In, [string[]]$Names)
    if ($In.state -eq 'absent') { return Uninstall-WindowsFeature -Name $Names -Restart:$false } # winps: ignore C105 servers only; asked for before
    $arguments = @{ Name = $Names; Restart = $false }
    if ($In.include_management_tools) { $arguments['IncludeManagementTools'] = $true }
    if ($In.include_all_sub_features) { $arguments['IncludeAllSubFeature'] = $true }
    if ($In.source) { $arguments['Source'] = $In.source }
    return Install-WindowsFeature @arguments # winps: ignore C105 servers only; asked for before
}

function Invoke-Operation {
    param($In)
    if (-not (Get-Command -Name Install-WindowsFeature -ErrorAction SilentlyContinue)) {
        Stop-Operation -Kind 'unsupported' -Message 'This Windows has no roles and features.' -Hint 'Use `optional_feature` on clients.'
    }
    $names = @($In.names)
    $states = Get-FeatureStates $names
    $unknown = @($names | Where-Object { -not $states.ContainsKey($_) })
    if ($unknown.Count -gt 0) { Stop-Operation -Kind 'unknown_feature' -Message "There is no feature named $($unknown -join ', ')." }
    $wanted = if ($In.state -eq 'absent') { @('Available', 'Removed') } else { @('Installed') }
    # With sub-features Windows itself has to say whether something is missing.
    $todo = @($names | Where-Object { $wanted -notcontains $states[$_] -or ($In.state -eq 'present' -and $In.include_all_sub_features) })
    $reboot = $false
    $changed = @{}
    if ($todo.Count -gt 0) {
        try { $answer = Set-Features $In $todo } catch { Stop-Servicing $_ 'The features could not be changed' }
        if (-not $answer.Success) { Stop-Operation -Kind 'exit_code' -Message "The features could not be changed: $($answer.ExitCode)." }
        $reboot = [string]$answer.RestartNeeded -eq 'Yes'
        foreach ($feature in @($answer.FeatureResult)) { if ($null -ne $feature) { $changed[[string]$feature.Name] = $true } }
        $after = Get-FeatureStates $names
        $missing = @($todo | Where-Object { $wanted -notcontains $after[$_] -and $after[$_] -notlike '*Pending' })
        if ($missing.Count -gt 0) { Stop-Operation -Kind 'not_detected' -Message "Windows said success, but $($missing -join ', ') did not change." }
        if (@($todo | Where-Object { $after[$_] -like '*Pending' }).Count -gt 0) { $reboot = $true }
        foreach ($name in $todo) { if ($after[$name] -ne $states[$name]) { $changed[$name] = $true } }
    }
    $done = if ($In.state -eq 'absent') { 'removed' } else { 'installed' }
    $items = @(@($names) + @($changed.Keys | Where-Object { $names -notcontains $_ } | Sort-Object) | ForEach-Object {
            $state = if ($changed.ContainsKey($_)) { $done } else { 'already' }
            New-ServicingItem -Id $_ -Title $_ -State $state -Reboot ($reboot -and $state -eq $done)
        })
    Send-ServicingResult -Items $items -Verb $done
}
