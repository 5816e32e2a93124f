<#
.SYNOPSIS
Says what proves an image, on a machine made from it.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-Safe {
    # One fact that may fail by itself.
    param([scriptblock]$Read)
    try { return & $Read } catch { return $null }
}

function Get-License {
    $filter = "ApplicationID='55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey IS NOT NULL"
    $product = @(Get-CimInstance -ClassName SoftwareLicensingProduct -Filter $filter) | Select-Object -First 1
    if ($null -eq $product) { return $null }
    $service = Get-CimInstance -ClassName SoftwareLicensingService
    return [ordered]@{
        status        = [int]$product.LicenseStatus
        description   = [string]$product.Description
        channel       = [string]$product.ProductKeyChannel
        grace_minutes = [long]$product.GracePeriodRemaining
        kms_host      = [string]$service.KeyManagementServiceMachine
    }
}

function Get-Cloudbase {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='cloudbase-init'"
    $log = Join-Path $env:ProgramFiles 'Cloudbase Solutions\Cloudbase-Init\log\cloudbase-init.log'
    $done = (Test-Path -LiteralPath $log) -and ([IO.File]::ReadAllText($log) -match 'Plugins execution done')
    return [ordered]@{
        present      = ($null -ne $service)
        start_mode   = if ($null -ne $service) { [string]$service.StartMode } else { $null }
        instances    = @(Get-ChildItem -LiteralPath 'HKLM:\SOFTWARE\Cloudbase Solutions\Cloudbase-Init' -ErrorAction SilentlyContinue | ForEach-Object { [string]$_.PSChildName })
        plugins_done = $done
    }
}

function Get-Traces {
    $windows = [string]$env:SystemRoot
    $found = @(Get-ChildItem -Path "$windows\Temp\reseal-*", "$windows\System32\Tasks\reseal-*", "$windows\System32\Sysprep\reseal-*", "$env:ProgramData\Reseal", "$env:SystemDrive\Users\reseal-*" -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName })
    if (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Reseal') { $found += 'HKLM:\SOFTWARE\Reseal' }
    return $found
}

function Get-LargestGap {
    $disk = Get-Partition -DriveLetter C | Get-Disk
    return [long]$disk.LargestFreeExtent
}

function Get-Keyboard {
    $first = Get-WinUserLanguageList | Select-Object -First 1
    return [string](@($first.InputMethodTips) | Select-Object -First 1)
}

function Invoke-Operation {
    param($In)
    $users = @(Get-LocalUser)
    $sid = $users | Where-Object { [string]$_.SID -like 'S-1-5-21-*' } | Select-Object -First 1
    $disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'"
    $oldest = Get-Safe { Get-WinEvent -LogName System -Oldest -MaxEvents 1 -ErrorAction Stop }
    Send-Result ([ordered]@{
            computer_name           = [string]$env:COMPUTERNAME
            machine_sid             = if ($null -ne $sid) { ([string]$sid.SID) -replace '-\d+$', '' } else { $null }
            image_state             = [string](Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State' 'ImageState')
            license                 = Get-Safe { Get-License }
            drive_c_bytes           = if ($null -ne $disk) { [long]$disk.Size } else { [long]0 }
            disk_unallocated_bytes  = Get-Safe { Get-LargestGap }
            system_locale           = [string](Get-Safe { (Get-WinSystemLocale).Name })
            user_locale             = [string](Get-Safe { (Get-Culture).Name })
            ui_language             = [string](Get-Safe { (Get-UICulture).Name })
            input_locale            = [string](Get-Safe { Get-Keyboard })
            time_zone               = [TimeZoneInfo]::Local.Id
            cloudbase               = Get-Cloudbase
            oldest_system_event_utc = if ($null -ne $oldest) { Get-UtcText $oldest.TimeCreated } else { $null }
            users                   = @($users | ForEach-Object { [string]$_.Name })
            profiles                = @(Get-CimInstance -ClassName Win32_UserProfile | Where-Object { -not $_.Special } | ForEach-Object { [string]$_.LocalPath })
            rearm_count             = Get-Safe { [long](Get-CimInstance -ClassName SoftwareLicensingService).RemainingWindowsReArmCount }
            traces                  = @(Get-Traces)
        })
}
