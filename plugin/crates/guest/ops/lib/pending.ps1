# Pending: every sign that Windows wants a restart, and what is at work.

function Test-RegKey {
    param([string]$Path)
    return [bool](Test-Path -LiteralPath $Path)
}

function Add-Signal {
    param([Collections.ArrayList]$List, [string]$Signal, [string]$Detail = '')
    $null = $List.Add([ordered]@{ signal = $Signal; detail = $Detail })
}

function Add-ServicingSignals {
    param([Collections.ArrayList]$Hard)
    $cbs = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing'
    $update = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update'
    if (Test-RegKey "$cbs\RebootPending") { Add-Signal $Hard 'cbs_reboot_pending' "$cbs\RebootPending" }
    if (Test-RegKey "$cbs\RebootInProgress") { Add-Signal $Hard 'cbs_reboot_in_progress' "$cbs\RebootInProgress" }
    if (Test-RegKey "$cbs\PackagesPending") { Add-Signal $Hard 'cbs_packages_pending' "$cbs\PackagesPending" }
    foreach ($name in 'Exclusive', 'TotalSessionPhases') {
        $value = (Get-RegValue "$cbs\SessionsPending" $name) -as [long]
        if ($value) { Add-Signal $Hard 'cbs_sessions_pending' "$name = $value" }
    }
    if (Test-RegKey "$update\RebootRequired") { Add-Signal $Hard 'wu_reboot_required' "$update\RebootRequired" }
    if (Test-RegKey "$update\PostRebootReporting") { Add-Signal $Hard 'wu_post_reboot_reporting' "$update\PostRebootReporting" }
    if ($env:SystemRoot -and (Test-Path -LiteralPath "$env:SystemRoot\WinSxS\pending.xml")) { Add-Signal $Hard 'winsxs_pending' "$env:SystemRoot\WinSxS\pending.xml" }
}

function Add-NameSignals {
    param([Collections.ArrayList]$Hard)
    $names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
    $active = [string](Get-RegValue "$names\ActiveComputerName" 'ComputerName')
    $next = [string](Get-RegValue "$names\ComputerName" 'ComputerName')
    if ($active -and $next -and $active -ne $next) { Add-Signal $Hard 'computer_rename' "$active to $next" }
    $network = 'HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters'
    $hostName = [string](Get-RegValue $network 'Hostname')
    $nextHost = [string](Get-RegValue $network 'NV Hostname')
    if ($hostName -and $nextHost -and $hostName -ne $nextHost) { Add-Signal $Hard 'host_name' "$hostName to $nextHost" }
    foreach ($name in 'JoinDomain', 'AvoidSpnSet') {
        if ($null -ne (Get-RegValue 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon' $name)) { Add-Signal $Hard 'domain_join' $name }
    }
    $attempts = (Get-RegValue 'HKLM:\SOFTWARE\Microsoft\ServerManager' 'CurrentRebootAttempts') -as [long]
    if ($attempts -gt 0) { Add-Signal $Hard 'server_manager' "CurrentRebootAttempts = $attempts" }
}

function Add-ServiceSignals {
    # Signals that have to be asked from a program; one that cannot answer is passed over.
    param([Collections.ArrayList]$Hard, [Collections.ArrayList]$Soft)
    try {
        $information = New-Object -ComObject Microsoft.Update.SystemInfo
        if ($information.RebootRequired) { Add-Signal $Hard 'wu_api' 'Microsoft.Update.SystemInfo' }
    } catch {
        $null = $_ # a network logon may not ask; the registry has told already
    }
    try {
        $client = Invoke-CimMethod -Namespace 'ROOT\ccm\ClientSDK' -ClassName CCM_ClientUtilities -MethodName DetermineIfRebootPending -ErrorAction Stop
        if ($client.RebootPending -or $client.IsHardRebootPending) { Add-Signal $Soft 'sccm' 'CCM_ClientUtilities' }
    } catch {
        $null = $_ # no such client here
    }
}

function Add-FeatureSignals {
    # Slow, and mostly told by the registry already; asked only before sysprep.
    param([Collections.ArrayList]$Hard)
    foreach ($feature in @(Get-WindowsOptionalFeature -Online)) {
        if ([string]$feature.State -like '*Pending') { Add-Signal $Hard 'feature_pending' ('{0} {1}' -f $feature.FeatureName, $feature.State) }
    }
}

function Add-FileSignals {
    param([Collections.ArrayList]$Soft)
    $manager = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager'
    foreach ($pair in @(@('PendingFileRenameOperations', 'file_rename'), @('PendingFileRenameOperations2', 'file_rename_2'))) {
        $entries = @(Get-RegValue $manager $pair[0]) | Where-Object { $_ }
        $paths = @($entries | Where-Object { $_ -like '\??\*' } | ForEach-Object { $_ -replace '^\\\?\?\\', '' } | Select-Object -First 10)
        foreach ($path in $paths) { Add-Signal $Soft $pair[1] $path }
    }
    $volatile = (Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Updates' 'UpdateExeVolatile') -as [long]
    if ($volatile) { Add-Signal $Soft 'update_exe' "UpdateExeVolatile = $volatile" }
    if ($null -ne (Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce' 'DVDRebootSignal')) { Add-Signal $Soft 'dvd_signal' 'DVDRebootSignal' }
}

function Test-InstallerBusy {
    # Windows Installer holds this mutex while it works.
    $mutex = $null
    try {
        if ([Threading.Mutex]::TryOpenExisting('Global\_MSIExecute', [ref]$mutex)) {
            $mutex.Dispose()
            return $true
        }
        return $false
    } catch [UnauthorizedAccessException] {
        return $true # it is there, and somebody else's
    }
}

function Get-PendingFacts {
    param([bool]$Thorough = $false)
    $hard = New-Object Collections.ArrayList
    $soft = New-Object Collections.ArrayList
    Add-ServicingSignals $hard
    Add-NameSignals $hard
    Add-ServiceSignals $hard $soft
    Add-FileSignals $soft
    if ($Thorough) { Add-FeatureSignals $hard }
    $workers = 'TiWorker', 'TrustedInstaller', 'MoUsoCoreWorker', 'UsoClient', 'wusa', 'dism', 'DismHost'
    $busy = @(Get-Process -Name $workers -ErrorAction SilentlyContinue | ForEach-Object { [string]$_.ProcessName } | Sort-Object -Unique)
    return [ordered]@{ hard = @($hard.ToArray()); soft = @($soft.ToArray()); busy = $busy; msi_mutex = (Test-InstallerBusy) }
}
