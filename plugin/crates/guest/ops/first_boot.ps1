<#
.SYNOPSIS
Says how far the first boot of a clone has come. It changes nothing.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-SetupErrors {
    # Setup's own error logs, where they say anything.
    $windows = [string]$env:SystemRoot
    $logs = "$windows\Panther\setuperr.log", "$windows\Panther\UnattendGC\setuperr.log"
    return @($logs | Where-Object { (Test-Path -LiteralPath $_ -PathType Leaf) -and (Get-Item -LiteralPath $_).Length -gt 0 })
}

function Invoke-Operation {
    param($In)
    $setup = 'HKLM:\SYSTEM\Setup'
    $boot = Get-Safe { (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime }
    Send-Result ([ordered]@{
            image_state          = [string](Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State' 'ImageState')
            generalization_state = Get-RegNumber "$setup\Status\SysprepStatus" 'GeneralizationState'
            setup_in_progress    = [bool]((Get-RegValue $setup 'SystemSetupInProgress') -as [long])
            boot_utc             = if ($null -ne $boot) { Get-UtcText $boot } else { $null }
            now_utc              = Get-UtcText ([DateTime]::UtcNow)
            cloudbase            = Get-CloudbaseState ([string]$In.service)
            setup_errors         = @(Get-SetupErrors)
        })
}
