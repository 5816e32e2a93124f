<#
.SYNOPSIS
Asks everything that would make sysprep fail. It judges nothing.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

$roleNames = 'AD-Certificate', 'AD-Domain-Services', 'ADFS-Federation', 'ADLDS', 'ADRMS', 'DHCP', 'Fax', 'NPAS', 'UpdateServices', 'Hyper-V', 'Web-Server', 'WDS'

function Get-InstalledRoles {
    if (-not (Get-Command -Name Get-WindowsFeature -ErrorAction SilentlyContinue)) { return , @() }
    $found = @(Get-WindowsFeature -Name $roleNames -ErrorAction SilentlyContinue | Where-Object { [string]$_.InstallState -eq 'Installed' }) # winps: ignore C105 only asked where it is there
    return , @($found | ForEach-Object { [string]$_.Name })
}

function Get-ReservedStorage {
    $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\ReserveManager'
    if (-not (Test-Path -LiteralPath $key)) { return 'unsupported' }
    if (((Get-RegValue $key 'ShippedWithReserves') -as [int]) -ne 1) { return 'disabled' }
    if ((Get-RegValue $key 'ActiveScenario') -as [int]) { return 'in_use' }
    return 'enabled_idle'
}

function Get-BitlockerVolumes {
    # Without the feature there is no such class, and nothing is encrypted.
    try {
        $volumes = @(Get-CimInstance -Namespace 'root\CIMV2\Security\MicrosoftVolumeEncryption' -ClassName Win32_EncryptableVolume -ErrorAction Stop)
    } catch {
        return , @()
    }
    $facts = @(foreach ($volume in $volumes) {
            $answer = Invoke-CimMethod -InputObject $volume -MethodName GetConversionStatus -Arguments @{ PrecisionFactor = [uint32]0 }
            [ordered]@{ drive = [string]$volume.DriveLetter; conversion = [int]$answer.ConversionStatus; percent = [int]$answer.EncryptionPercentage; protection = [int]$volume.ProtectionStatus }
        })
    return , $facts
}

function Get-MediaAnswerFiles {
    # Setup also looks at the roots of removable drives.
    $drives = @(Get-CimInstance -ClassName Win32_LogicalDisk | Where-Object { @(2, 5) -contains [int]$_.DriveType } | ForEach-Object { [string]$_.DeviceID })
    return , @($drives | ForEach-Object { "$_\unattend.xml"; "$_\autounattend.xml" } | Where-Object { Test-Path -LiteralPath $_ -PathType Leaf })
}

function Get-DisturbingServices {
    $found = @(foreach ($name in 'WSearch', 'tiledatamodelsvc', 'WMPNetworkSvc', 'Sense', 'InstallService', 'wuauserv', 'CryptSvc', 'VSS') {
            $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$name'"
            if ($null -ne $service) { [ordered]@{ name = $name; state = ([string]$service.State).ToLowerInvariant(); start = [string]$service.StartMode } }
        })
    return , $found
}

function Get-LicensingState {
    # Sysprep needs this service, so whether it starts is part of the fact.
    $service = Get-Service -Name sppsvc -ErrorAction SilentlyContinue
    if ($null -eq $service) { return 'missing' }
    try { $null = Start-BoundedService 'sppsvc' 30 } catch { return 'refused' }
    return ([string](Get-Service -Name sppsvc).Status).ToLowerInvariant()
}

function Get-LicensedProduct {
    $filter = "ApplicationID='55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey IS NOT NULL"
    return @(Get-CimInstance -ClassName SoftwareLicensingProduct -Filter $filter) | Select-Object -First 1
}

function Get-Installers {
    # Programs that install something; Windows Installer itself is told by its mutex.
    $names = 'setup', 'install', 'installer', 'choco', 'winget', 'vs_installer', 'ngen', 'mscorsvw'
    return , @(Get-Process -Name $names -ErrorAction SilentlyContinue | ForEach-Object { [string]$_.ProcessName } | Sort-Object -Unique)
}

function Get-SqlInstances {
    $key = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL' -ErrorAction SilentlyContinue
    if ($null -eq $key) { return , @() }
    return , @($key.GetValueNames())
}

function Get-StartMode {
    param([string]$Name)
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Name'"
    if ($null -eq $service) { return $null }
    return [string]$service.StartMode
}

function Test-IisSecrets {
    $file = Join-Path $env:SystemRoot 'System32\inetsrv\config\applicationHost.config'
    if (-not (Test-Path -LiteralPath $file)) { return $false }
    return [IO.File]::ReadAllText($file) -match '\[enc:'
}

function Test-Bcd {
    $program = Join-Path $env:SystemRoot 'System32\bcdedit.exe'
    $null = & $program '/enum' '{current}'
    return $LASTEXITCODE
}

function Get-Profiles {
    $found = @(Get-CimInstance -ClassName Win32_UserProfile | Where-Object { -not $_.Special } | ForEach-Object {
            [ordered]@{ sid = [string]$_.SID; path = [string]$_.LocalPath; loaded = [bool]$_.Loaded; exists = [bool](Test-Path -LiteralPath $_.LocalPath) }
        })
    return , $found
}

function Add-SystemFacts {
    param($Facts)
    $version = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $status = 'HKLM:\SYSTEM\Setup\Status'
    Set-Fact $Facts 'elevated' { (New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator) }
    Set-Fact $Facts 'user_sid' { [Security.Principal.WindowsIdentity]::GetCurrent().User.Value }
    Set-Fact $Facts 'network_logon' { @([Security.Principal.WindowsIdentity]::GetCurrent().Groups | Where-Object { $_.Value -eq 'S-1-5-2' }).Count -gt 0 }
    Set-Fact $Facts 'token_filter' { ((Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' 'LocalAccountTokenFilterPolicy') -as [int]) -eq 1 }
    Set-Fact $Facts 'scheduler' { ([string](Get-Service -Name Schedule).Status).ToLowerInvariant() }
    Set-Fact $Facts 'language_mode' { [string]$ExecutionContext.SessionState.LanguageMode }
    Set-Fact $Facts 'now_utc' { Get-UtcText ([DateTime]::UtcNow) }
    Set-Fact $Facts 'build' { [string](Get-RegValue $version 'CurrentBuildNumber') -as [int] }
    Set-Fact $Facts 'edition' { [string](Get-RegValue $version 'EditionID') }
    Set-Fact $Facts 'installation_type' { [string](Get-RegValue $version 'InstallationType') }
    Set-Fact $Facts 'product_type' { [int](Get-CimInstance -ClassName Win32_OperatingSystem).ProductType }
    Set-Fact $Facts 'image_state' { [string](Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State' 'ImageState') }
    Set-Fact $Facts 'generalization_state' { Get-RegNumber "$status\SysprepStatus" 'GeneralizationState' }
    Set-Fact $Facts 'cleanup_state' { Get-RegNumber "$status\SysprepStatus" 'CleanupState' }
    Set-Fact $Facts 'audit_boot' { Get-RegNumber $status 'AuditBoot' }
    Set-Fact $Facts 'setup_in_progress' { [bool]((Get-RegValue 'HKLM:\SYSTEM\Setup' 'SystemSetupInProgress') -as [int]) -or [bool]((Get-RegValue 'HKLM:\SYSTEM\Setup' 'OOBEInProgress') -as [int]) }
    Set-Fact $Facts 'sysprep_running' { @(Get-Process -Name sysprep -ErrorAction SilentlyContinue).Count }
    Set-Fact $Facts 'pending' { Get-PendingFacts -Thorough $true }
    Set-Fact $Facts 'installers' { Get-Installers }
    Set-Fact $Facts 'msi_unfinished' { Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\InProgress' }
    Set-Fact $Facts 'reserved_storage' { Get-ReservedStorage }
}

function Add-PackageFacts {
    param($Facts, $In)
    Set-Fact $Facts 'sppsvc' { Get-LicensingState }
    Set-Fact $Facts 'sppsvc_start' { Get-StartMode 'sppsvc' }
    Set-Fact $Facts 'rearm_count' { [long](Get-CimInstance -ClassName SoftwareLicensingService).RemainingWindowsReArmCount }
    Set-Fact $Facts 'skip_rearm_left' { ((Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform' 'SkipRearm') -as [int]) -eq 1 }
    $product = @{ found = $null }
    $Facts['license_status'] = $null
    $Facts['license_channel'] = $null
    if ($In.license) {
        Set-Fact $Facts 'license_status' {
            $product.found = Get-LicensedProduct
            if ($null -eq $product.found) { 0 } else { [int]$product.found.LicenseStatus }
        }
        Set-Fact $Facts 'license_channel' { if ($null -ne $product.found) { [string]$product.found.ProductKeyChannel } }
    }
    $Facts['appx'] = $null
    if ($In.appx) { Set-Fact $Facts 'appx' { Get-AppxFacts } }
    Set-Fact $Facts 'appx_service' { Get-StartMode 'AppXSvc' }
    Set-Fact $Facts 'store' {
        [ordered]@{
            auto_download              = Get-RegNumber 'HKLM:\SOFTWARE\Policies\Microsoft\WindowsStore' 'AutoDownload'
            consumer_features_disabled = Get-RegNumber 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\CloudContent' 'DisableWindowsConsumerFeatures'
        }
    }
}

function Add-MachineFacts {
    param($Facts)
    Set-Fact $Facts 'bitlocker' { Get-BitlockerVolumes }
    Set-Fact $Facts 'domain_joined' { [bool](Get-CimInstance -ClassName Win32_ComputerSystem).PartOfDomain }
    Set-Fact $Facts 'domain' { [string](Get-CimInstance -ClassName Win32_ComputerSystem).Domain }
    Set-Fact $Facts 'entra_joined' { @(Get-ChildItem -LiteralPath 'HKLM:\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo' -ErrorAction SilentlyContinue).Count -gt 0 }
    Set-Fact $Facts 'sql_instances' { Get-SqlInstances }
    Set-Fact $Facts 'roles' { Get-InstalledRoles }
    Set-Fact $Facts 'hyperv_switches' { if (Get-Command -Name Get-VMSwitch -ErrorAction SilentlyContinue) { @(Get-VMSwitch).Count } else { 0 } } # winps: ignore C105 only asked where it is there
    Set-Fact $Facts 'iis_encrypted_credentials' { Test-IisSecrets }
    Set-Fact $Facts 'upgrade_keys' { @(Get-ChildItem -LiteralPath 'HKLM:\SYSTEM\Setup' -ErrorAction SilentlyContinue | Where-Object { $_.PSChildName -like 'Source OS*' }).Count }
    Set-Fact $Facts 'windows_old' { Test-Path -LiteralPath "$env:SystemDrive\Windows.old" }
    Set-Fact $Facts 'answer_files' {
        $named = Get-NamedAnswerFile
        , @((Find-AnswerFiles) + @($named | Where-Object { $_ }))
    }
    Set-Fact $Facts 'media_answer_files' { Get-MediaAnswerFiles }
    Set-Fact $Facts 'external_providers' { Get-ExternalProviders }
    Set-Fact $Facts 'services' { Get-DisturbingServices }
    Set-Fact $Facts 'sense_onboarded' { ((Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows Advanced Threat Protection\Status' 'OnboardingState') -as [int]) -eq 1 }
    Set-Fact $Facts 'profiles' { Get-Profiles }
    Set-Fact $Facts 'free_bytes' { [long](Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'").FreeSpace }
    Set-Fact $Facts 'bcd' { Test-Bcd }
}

function Invoke-Operation {
    param($In)
    $facts = New-Facts
    Add-SystemFacts $facts
    Add-PackageFacts $facts $In
    Add-MachineFacts $facts
    Send-Result $facts
}
