<#
.SYNOPSIS
Sets how a service starts and whether it runs.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-StartType {
    param([string]$Id)
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Id"
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$($Id.Replace("'", "\'"))'"
    if ($null -eq $service) { return 'other' }
    $type = switch ([string]$service.StartMode) { 'Auto' { 'automatic' } 'Manual' { 'manual' } 'Disabled' { 'disabled' } default { 'other' } }
    if ($type -eq 'automatic' -and ((Get-RegValue $key 'DelayedAutostart') -as [int]) -eq 1) { return 'automatic_delayed' }
    return $type
}

function Set-StartType {
    # True when it was another.
    param([string]$Id, [string]$Start)
    if ((Get-StartType $Id) -eq $Start) { return $false }
    $names = @{ automatic = 'Automatic'; automatic_delayed = 'Automatic'; manual = 'Manual'; disabled = 'Disabled' }
    Set-Service -Name $Id -StartupType $names[$Start]
    $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$Id"
    if ($Start -like 'automatic*' -and (Test-Path -LiteralPath $key)) {
        $null = New-ItemProperty -LiteralPath $key -Name 'DelayedAutostart' -PropertyType DWord -Value ([int]($Start -eq 'automatic_delayed')) -Force
    }
    return $true
}

function Set-State {
    # True when something was done. What stopped with the service is started with it again.
    param($In)
    $seconds = [int]$In.wait_seconds
    if ($In.state -eq 'running') { return Start-BoundedService $In.id $seconds }
    $stopped = @(Stop-BoundedService $In.id $seconds | ForEach-Object { $_ })
    if ($In.state -ne 'restarted') { return $stopped.Count -gt 0 }
    if ($stopped.Count -eq 0) { return Start-BoundedService $In.id $seconds }
    [array]::Reverse($stopped)
    foreach ($name in $stopped) { $null = Start-BoundedService $name $seconds }
    return $true
}

function Invoke-Operation {
    param($In)
    if ($null -eq (Get-Service -Name $In.id -ErrorAction SilentlyContinue)) {
        Stop-Operation -Kind 'unknown_service' -Message "There is no service named $($In.id)." -Hint 'The short name is wanted, not the one in the list of services.'
    }
    $changed = $false
    # A disabled service cannot be started, so the start type comes first, unless it is to be disabled.
    if ($In.start -and $In.start -ne 'disabled') { $changed = Set-StartType $In.id $In.start }
    if ($In.state) { $changed = (Set-State $In) -or $changed }
    if ($In.start -eq 'disabled') { $changed = (Set-StartType $In.id $In.start) -or $changed }
    $detail = '{0} is {1}, {2}' -f $In.id, ([string](Get-Service -Name $In.id).Status).ToLowerInvariant(), (Get-StartType $In.id)
    Send-Result (New-StepResult -Changed $changed -Already (-not $changed) -Detail $detail)
}
