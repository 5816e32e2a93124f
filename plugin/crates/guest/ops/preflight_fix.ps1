<#
.SYNOPSIS
Cures what would make sysprep fail.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Repair-Appx {
    param($In)
    $wanted = @($In.packages)
    if ($wanted.Count -eq 0) { $wanted = @((Get-AppxFacts).blockers | ForEach-Object { $_.full_name }) }
    $allUsers = $null -ne (Get-Command -Name Remove-AppxPackage -ErrorAction SilentlyContinue) -and (Get-Command -Name Remove-AppxPackage).Parameters.ContainsKey('AllUsers')
    $failed = New-Object Collections.ArrayList
    foreach ($package in $wanted) {
        Get-Process -Name msedge -ErrorAction SilentlyContinue | Stop-Process -Force -ErrorAction SilentlyContinue
        $arguments = @{ Package = $package }
        if ($allUsers) { $arguments['AllUsers'] = $true }
        try { $null = Remove-AppxPackage @arguments } catch { $null = $failed.Add("$package $(Get-ErrorCode $_.Exception)") }
    }
    $left = @((Get-AppxFacts).blockers)
    $detail = if ($left.Count -eq 0) { "$($wanted.Count) packages removed" } else { 'still there: ' + (@($left | ForEach-Object { $_.full_name }) -join ', ') + '. ' + ($failed -join ', ') }
    return @{ done = ($left.Count -eq 0); changed = ($wanted.Count -gt 0); detail = $detail }
}

function Get-SystemVolume {
    try {
        return Get-CimInstance -Namespace 'root\CIMV2\Security\MicrosoftVolumeEncryption' -ClassName Win32_EncryptableVolume -ErrorAction Stop | Where-Object { [string]$_.DriveLetter -eq $env:SystemDrive } | Select-Object -First 1
    } catch {
        return $null
    }
}

function Repair-Bitlocker {
    param($In)
    $volume = Get-SystemVolume
    if ($null -eq $volume) { return @{ done = $true; changed = $false; detail = 'nothing is encrypted' } }
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $changed = $false
    while ($true) {
        $answer = Invoke-CimMethod -InputObject $volume -MethodName GetConversionStatus -Arguments @{ PrecisionFactor = [uint32]0 }
        if ([int]$answer.ConversionStatus -eq 0) { return @{ done = $true; changed = $changed; detail = 'the system volume is decrypted' } }
        if (-not $changed -and [int]$answer.ConversionStatus -ne 3) {
            $null = Invoke-CimMethod -InputObject $volume -MethodName Decrypt
            $changed = $true
        }
        if ($watch.Elapsed.TotalSeconds -gt [long]$In.timeout_seconds) { return @{ done = $false; changed = $changed; detail = "still $($answer.EncryptionPercentage) % encrypted" } }
        Write-Log "BitLocker: $($answer.EncryptionPercentage) % encrypted"
        Start-Sleep -Seconds 5
    }
}

function Repair-Services {
    $done = New-Object Collections.ArrayList
    foreach ($name in 'WSearch', 'tiledatamodelsvc', 'WMPNetworkSvc', 'InstallService') {
        if ($null -eq (Get-Service -Name $name -ErrorAction SilentlyContinue)) { continue }
        foreach ($stopped in (Stop-BoundedService $name)) { $null = $done.Add("$stopped stopped") }
    }
    # Disabled, these make validators of sysprep fail.
    foreach ($name in 'AppXSvc', 'wuauserv', 'sppsvc', 'CryptSvc', 'VSS') {
        $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$name'"
        if ($null -eq $service -or [string]$service.StartMode -ne 'Disabled') { continue }
        $key = "HKLM:\SYSTEM\CurrentControlSet\Services\$name"
        try { Set-Service -Name $name -StartupType Manual } catch { $null = New-ItemProperty -LiteralPath $key -Name 'Start' -PropertyType DWord -Value 3 -Force }
        $null = $done.Add("$name enabled")
    }
    foreach ($name in 'sppsvc', 'CryptSvc') {
        if ($null -eq (Get-Service -Name $name -ErrorAction SilentlyContinue)) { continue }
        if (Start-BoundedService $name) { $null = $done.Add("$name started") }
    }
    $detail = if ($done.Count -gt 0) { $done -join ', ' } else { 'nothing to do' }
    return @{ done = $true; changed = ($done.Count -gt 0); detail = $detail }
}

function Repair-Store {
    param($In)
    $first = Set-ValueForNow $In.undo_key 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore' 'AutoDownload' 2 'store'
    $second = Set-ValueForNow $In.undo_key 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\CloudContent' 'DisableWindowsConsumerFeatures' 1 'store'
    return @{ done = $true; changed = ($first -or $second); detail = 'the store updates no apps until that is taken back' }
}

function Repair-AnswerFiles {
    $old = Remove-AnswerFiles
    $detail = if ($old.left.Count -gt 0) { "still there: $($old.left -join ', ')" } else { "$($old.removed.Count) removed" }
    return @{ done = ($old.left.Count -eq 0); changed = ($old.removed.Count -gt 0); detail = $detail }
}

function Repair-ReservedStorage {
    $run = Invoke-Program -File (Join-Path $env:SystemRoot 'System32\dism.exe') -CommandLine '/English /Online /Set-ReservedStorageState /State:Disabled' -Seconds 300
    return @{ done = ($run.code -eq 0); changed = ($run.code -eq 0); detail = "dism ended with $($run.code)" }
}

function Repair-Providers {
    # Only entries whose library is gone: sysprep would stop at them, and nothing can need them any more.
    $done = New-Object Collections.ArrayList
    foreach ($provider in @(Get-ExternalProviders | ForEach-Object { $_ } | Where-Object { -not $_.found })) {
        Remove-ItemProperty -LiteralPath "HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\SysPrepExternal\$($provider.pass)" -Name $provider.name -Force
        $null = $done.Add("$($provider.pass) $($provider.command)")
    }
    return @{ done = $true; changed = ($done.Count -gt 0); detail = $(if ($done.Count -gt 0) { 'removed ' + ($done -join ', ') } else { 'nothing to do' }) }
}

function Repair-One {
    param([string]$Fix, $In)
    switch ($Fix) {
        'appx' { return Repair-Appx $In }
        'bitlocker' { return Repair-Bitlocker $In }
        'services' { return Repair-Services }
        'store' { return Repair-Store $In }
        'answer_files' { return Repair-AnswerFiles }
        'providers' { return Repair-Providers }
        'reserved_storage' { return Repair-ReservedStorage }
        default { Stop-Operation -Kind 'invalid_input' -Message "There is no fix '$Fix'." }
    }
}

function Invoke-Operation {
    param($In)
    $results = @(foreach ($fix in @($In.fixes)) {
            try { $one = Repair-One $fix $In } catch {
                # One cure that takes too long does not keep the others from being tried.
                $named = $_.Exception.Data['reseal']
                if ($null -ne $named -and $named['kind'] -eq 'invalid_input') { throw }
                $one = @{ done = $false; changed = $false; detail = [string]$_.Exception.Message }
            }
            [ordered]@{ fix = $fix; done = [bool]$one.done; changed = [bool]$one.changed; detail = [string]$one.detail }
        })
    Send-Result ([ordered]@{ fixes = $results })
}
