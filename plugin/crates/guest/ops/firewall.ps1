<#
.SYNOPSIS
Makes, changes or removes a firewall rule.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-Wanted {
    # The rule's properties as the cmdlets take them.
    param($In)
    $wanted = @{
        Direction = if ($In.direction -eq 'outbound') { 'Outbound' } else { 'Inbound' }
        Action    = if ($In.action -eq 'block') { 'Block' } else { 'Allow' }
        Enabled   = if ($In.enabled) { 'True' } else { 'False' }
        Profile   = @($In.profiles) -join ', '
        Protocol  = [string]$In.protocol
    }
    if (@($In.local_ports).Count -gt 0) { $wanted['LocalPort'] = [string[]]@($In.local_ports) }
    if (@($In.remote_ports).Count -gt 0) { $wanted['RemotePort'] = [string[]]@($In.remote_ports) }
    if (@($In.remote_addresses).Count -gt 0) { $wanted['RemoteAddress'] = [string[]]@($In.remote_addresses) }
    if ($In.program) { $wanted['Program'] = [string]$In.program }
    return $wanted
}

function Get-Mark {
    # What the rule was made from, so that the next run can see whether it is the same.
    param($In)
    $text = ConvertTo-Json -InputObject $In -Compress -Depth 6
    $hash = [Security.Cryptography.SHA256]::Create().ComputeHash([Text.Encoding]::UTF8.GetBytes($text))
    return 'Reseal ' + ([BitConverter]::ToString($hash).Replace('-', '').ToLowerInvariant().Substring(0, 16))
}

function Invoke-Operation {
    param($In)
    $present = @(Get-NetFirewallRule -DisplayName $In.rule -ErrorAction SilentlyContinue)
    if ($In.state -eq 'absent') {
        foreach ($rule in $present) { Remove-NetFirewallRule -Name $rule.Name }
        Send-Result (New-StepResult -Changed ($present.Count -gt 0) -Already ($present.Count -eq 0) -Detail "$($present.Count) rules removed")
        return
    }
    $mark = Get-Mark $In
    if ($present.Count -eq 1 -and [string]$present[0].Description -eq $mark) {
        Send-Result (New-StepResult -Already $true -Detail 'the rule is as it should be')
        return
    }
    # A rule that differs is made anew: ports and addresses live in objects of their own.
    foreach ($rule in $present) { Remove-NetFirewallRule -Name $rule.Name }
    $wanted = Get-Wanted $In
    $null = New-NetFirewallRule -DisplayName $In.rule -Description $mark @wanted
    if (@(Get-NetFirewallRule -DisplayName $In.rule -ErrorAction SilentlyContinue).Count -ne 1) {
        Stop-Operation -Kind 'not_detected' -Message "The rule $($In.rule) was made, but it is not there."
    }
    Send-Result (New-StepResult -Changed $true -Detail $(if ($present.Count -gt 0) { 'the rule was changed' } else { 'the rule was made' }))
}
