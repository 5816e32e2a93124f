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
            cloudbase               = Get-CloudbaseState
            oldest_system_event_utc = if ($null -ne $oldest) { Get-UtcText $oldest.TimeCreated } else { $null }
            users                   = @($users | ForEach-Object { [string]$_.Name })
            profiles                = @(Get-CimInstance -ClassName Win32_UserProfile | Where-Object { -not $_.Special } | ForEach-Object { [string]$_.LocalPath })
            rearm_count             = Get-Safe { [long](Get-CimInstance -ClassName SoftwareLicensingService).RemainingWindowsReArmCount }
            traces                  = @(Get-Traces)
        })
}
