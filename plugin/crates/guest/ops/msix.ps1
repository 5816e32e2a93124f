<#
.SYNOPSIS
Provisions an app package for all users.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-Provisioned {
    param($Name)
    if (-not $Name) { return $null }
    return Get-AppxProvisionedPackage -Online | Where-Object { [string]$_.DisplayName -eq $Name } | Select-Object -First 1
}

function Invoke-Operation {
    param($In)
    if (-not (Get-Command -Name Add-AppxProvisionedPackage -ErrorAction SilentlyContinue)) {
        Stop-Operation -Kind 'unsupported' -Message 'This Windows has no app packages.'
    }
    $present = Get-Provisioned $In.name
    if ($null -ne $present) {
        Send-Result (New-StepResult -Already $true -Detail ([string]$present.PackageName))
        return
    }
    foreach ($payload in @($In.package) + @($In.dependencies) + @($In.license)) { if ($null -ne $payload) { Assert-Payload $payload } }
    $arguments = @{ Online = $true; PackagePath = $In.package.path }
    if (@($In.dependencies).Count -gt 0) { $arguments['DependencyPackagePath'] = [string[]]@($In.dependencies | ForEach-Object { $_.path }) }
    if ($null -ne $In.license) { $arguments['LicensePath'] = $In.license.path } else { $arguments['SkipLicense'] = $true }
    try { $null = Add-AppxProvisionedPackage @arguments } catch { Stop-Servicing $_ 'The package could not be provisioned' }
    $after = Get-Provisioned $In.name
    if ($In.name -and $null -eq $after) { Stop-Operation -Kind 'not_detected' -Message "The package was provisioned, but $($In.name) is not there." }
    $detail = if ($null -ne $after) { [string]$after.PackageName } else { [IO.Path]::GetFileName($In.package.path) }
    Send-Result (New-StepResult -Changed $true -Detail $detail)
}
