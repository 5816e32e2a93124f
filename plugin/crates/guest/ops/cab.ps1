<#
.SYNOPSIS
Adds a Windows package with dism.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-PackageDetection {
    param($Name)
    if (-not $Name) { return $null }
    $found = @(Get-WindowsPackage -Online | Where-Object { [string]$_.PackageName -eq $Name -and [string]$_.PackageState -like 'Install*' })
    return [ordered]@{ present = ($found.Count -gt 0); version = $null; detail = $Name }
}

function Invoke-Operation {
    param($In)
    $package = $In.package
    $log = Join-Path $In.work 'dism.log'
    $arguments = @{
        In          = $In
        File        = Join-Path $env:SystemRoot 'System32\dism.exe'
        CommandLine = '/English /Online /Add-Package "/PackagePath:' + $In.cab.path + '" /Quiet /NoRestart "/LogPath:' + $log + '"'
        Logs        = @($log, "$env:SystemRoot\Logs\CBS\CBS.log")
        Detect      = { Get-PackageDetection $package }
        Verify      = { Assert-Payload $In.cab }
    }
    try {
        Invoke-Installer @arguments
    } catch {
        $facts = $_.Exception.Data['reseal']
        if ($null -ne $facts -and $facts['code'] -eq 2148468766) { $facts['kind'] = 'not_applicable' }
        throw
    }
}
