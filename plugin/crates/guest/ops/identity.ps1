<#
.SYNOPSIS
Says who the guest is.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-MachineSid {
    # The machine's own SID: an account's without its last part.
    $account = Get-LocalUser | Where-Object { [string]$_.SID -like 'S-1-5-21-*' } | Select-Object -First 1
    if ($null -eq $account) { return $null }
    return ([string]$account.SID) -replace '-\d+$', ''
}

function Invoke-Operation {
    param($In)
    $version = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $computer = Get-CimInstance -ClassName Win32_ComputerSystem
    $account = [Security.Principal.WindowsIdentity]::GetCurrent()
    $rights = New-Object Security.Principal.WindowsPrincipal($account)
    $disk = Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'"
    Send-Result ([ordered]@{
            computer_name     = [string]$env:COMPUTERNAME
            product_name      = [string](Get-RegValue $version 'ProductName')
            caption           = [string]$system.Caption
            edition_id        = [string](Get-RegValue $version 'EditionID')
            installation_type = [string](Get-RegValue $version 'InstallationType')
            build             = [int]([string](Get-RegValue $version 'CurrentBuildNumber') -as [int])
            ubr               = [int]((Get-RegValue $version 'UBR') -as [int])
            display_version   = [string](Get-RegValue $version 'DisplayVersion')
            release_id        = [string](Get-RegValue $version 'ReleaseId')
            product_type      = [int]$system.ProductType
            architecture      = [string]$env:PROCESSOR_ARCHITECTURE
            process_64bit     = [Environment]::Is64BitProcess
            ui_culture        = (Get-UICulture).Name
            system_locale     = [Globalization.CultureInfo]::InstalledUICulture.Name
            oem_code_page     = [int]([string](Get-RegValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Nls\CodePage' 'OEMCP') -as [int])
            time_zone         = [TimeZoneInfo]::Local.Id
            now_utc           = Get-UtcText ([DateTime]::UtcNow)
            boot_utc          = Get-UtcText $system.LastBootUpTime
            boot_id           = Get-RegNumber 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters' 'BootId'
            domain_joined     = [bool]$computer.PartOfDomain
            domain            = [string]$computer.Domain
            model             = [string]$computer.Model
            user              = $account.Name
            user_sid          = $account.User.Value
            machine_sid       = Get-MachineSid
            elevated          = $rights.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
            language_mode     = [string]$ExecutionContext.SessionState.LanguageMode
            ps_version        = $PSVersionTable.PSVersion.ToString()
            dotnet_release    = [int]((Get-RegValue 'HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full' 'Release') -as [int])
            free_bytes        = if ($null -ne $disk) { [long]$disk.FreeSpace } else { [long]0 }
        })
}
