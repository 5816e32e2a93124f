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

function Set-Policy {
    # Sets a policy and writes down what was there, so that it can be put back after sysprep. True when it was another.
    param([string]$Path, [string]$Name, [int]$Value)
    $before = Get-RegValue $Path $Name
    if (($before -as [int]) -eq $Value) { return $false }
    Add-Undo ([ordered]@{ kind = 'value'; path = $Path; name = $Name; existed = ($null -ne $before); data = $before })
    $null = New-Item -Path $Path -Force:(-not (Test-Path -LiteralPath $Path)) -ErrorAction SilentlyContinue
    $null = New-ItemProperty -LiteralPath $Path -Name $Name -PropertyType DWord -Value $Value -Force
    return $true
}

function Add-Undo {
    # One numbered entry under the key that the sysprep wrapper reads backwards.
    param($Entry)
    $key = 'HKLM:\SOFTWARE\Reseal\Undo'
    if (-not (Test-Path -LiteralPath $key)) { $null = New-Item -Path $key -Force }
    $number = @((Get-Item -LiteralPath $key).GetValueNames()).Count
    $null = New-ItemProperty -LiteralPath $key -Name ('{0:D4}' -f $number) -PropertyType String -Value (ConvertTo-Json -InputObject $Entry -Compress -Depth 4) -Force
}

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
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if ($null -eq $service -or [string]$service.Status -eq 'Stopped') { continue }
        Stop-Service -Name $name -Force
        $null = $done.Add("$name stopped")
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
        $service = Get-Service -Name $name -ErrorAction SilentlyContinue
        if ($null -eq $service -or [string]$service.Status -eq 'Running') { continue }
        Start-Service -Name $name
        $null = $done.Add("$name started")
    }
    $detail = if ($done.Count -gt 0) { $done -join ', ' } else { 'nothing to do' }
    return @{ done = $true; changed = ($done.Count -gt 0); detail = $detail }
}

function Repair-Store {
    $first = Set-Policy 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore' 'AutoDownload' 2
    $second = Set-Policy 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\CloudContent' 'DisableWindowsConsumerFeatures' 1
    return @{ done = $true; changed = ($first -or $second); detail = 'the store does not update apps until sysprep has ended' }
}

function Repair-AnswerFiles {
    $windows = [string]$env:SystemRoot
    $drive = [string]$env:SystemDrive
    $places = "$windows\Panther\unattend.xml", "$windows\Panther\unattend-original.xml", "$windows\Panther\Unattend\Unattend.xml", "$windows\Panther\Unattend\Autounattend.xml", "$windows\System32\Sysprep\Unattend.xml", "$drive\Unattend.xml", "$drive\Autounattend.xml"
    $found = @($places | Where-Object { Test-Path -LiteralPath $_ -PathType Leaf })
    foreach ($path in $found) { Remove-Item -LiteralPath $path -Force }
    return @{ done = $true; changed = ($found.Count -gt 0); detail = "$($found.Count) files removed" }
}

function Repair-ReservedStorage {
    $run = Invoke-Program -File (Join-Path $env:SystemRoot 'System32\dism.exe') -CommandLine '/English /Online /Set-ReservedStorageState /State:Disabled' -Seconds 300
    return @{ done = ($run.code -eq 0); changed = ($run.code -eq 0); detail = "dism ended with $($run.code)" }
}

function Repair-One {
    param([string]$Fix, $In)
    switch ($Fix) {
        'appx' { return Repair-Appx $In }
        'bitlocker' { return Repair-Bitlocker $In }
        'services' { return Repair-Services }
        'store' { return Repair-Store }
        'answer_files' { return Repair-AnswerFiles }
        'reserved_storage' { return Repair-ReservedStorage }
        default { Stop-Operation -Kind 'invalid_input' -Message "There is no fix '$Fix'." }
    }
}

function Invoke-Operation {
    param($In)
    $results = @(foreach ($fix in @($In.fixes)) {
            try { $one = Repair-One $fix $In } catch {
                if ($_.Exception.Data.Contains('reseal')) { throw }
                $one = @{ done = $false; changed = $false; detail = [string]$_.Exception.Message }
            }
            [ordered]@{ fix = $fix; done = [bool]$one.done; changed = [bool]$one.changed; detail = [string]$one.detail }
        })
    Send-Result ([ordered]@{ fixes = $results })
}
