# Services: started and stopped with a deadline. Start-Service and Stop-Service wait without one.

function Wait-ServiceState {
    param([Parameter(Mandatory)]$Service, [string]$State, [int]$Seconds)
    try {
        $Service.WaitForStatus($State, [TimeSpan]::FromSeconds($Seconds))
    } catch {
        $Service.Refresh()
        Stop-Operation -Kind 'timeout' -Message "The service $($Service.Name) is not $State after $Seconds seconds, but $($Service.Status)."
    }
}

function Start-BoundedService {
    # True when it did not run.
    param([Parameter(Mandatory)][string]$Name, [int]$Seconds = 60)
    $service = Get-Service -Name $Name
    if ([string]$service.Status -eq 'Running') { return $false }
    if ([string]$service.Status -ne 'StartPending') { $service.Start() }
    Wait-ServiceState $service 'Running' $Seconds
    return $true
}

function Stop-BoundedService {
    # Stops it, and first those that depend on it; answers the names of all that ran, this one last.
    param([Parameter(Mandatory)][string]$Name, [int]$Seconds = 60)
    $service = Get-Service -Name $Name
    if ([string]$service.Status -eq 'Stopped') { return , @() }
    $stopped = @(foreach ($dependent in @($service.DependentServices)) {
            if ([string](Get-Service -Name $dependent.Name).Status -ne 'Stopped') { Stop-BoundedService $dependent.Name $Seconds | ForEach-Object { $_ } }
        })
    if ([string]$service.Status -ne 'StopPending') { $service.Stop() }
    Wait-ServiceState $service 'Stopped' $Seconds
    return , @($stopped + $service.Name)
}
