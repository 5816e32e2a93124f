<#
.SYNOPSIS
Installs an update package with wusa.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-HotfixDetection {
    param($Kb)
    if (-not $Kb) { return $null }
    $found = @(Get-CimInstance -ClassName Win32_QuickFixEngineering | Where-Object { [string]$_.HotFixID -eq $Kb })
    return [ordered]@{ present = ($found.Count -gt 0); version = $null; detail = $Kb }
}

function Invoke-Operation {
    param($In)
    $kb = $In.kb
    $log = Join-Path $In.work 'wusa.evtx'
    $before = Get-HotfixDetection $kb
    $start = Get-Service -Name wuauserv -ErrorAction SilentlyContinue
    if ($null -ne $start -and [string]$start.StartType -eq 'Disabled') {
        Stop-Operation -Kind 'exit_code' -Code 2147943458 -Message 'The service wuauserv is disabled, so wusa cannot work.'
    }
    $arguments = @{
        In          = $In
        File        = Join-Path $env:SystemRoot 'System32\wusa.exe'
        CommandLine = '"' + $In.msu.path + '" /quiet /norestart "/log:' + $log + '"'
        Logs        = @($log, "$env:SystemRoot\Logs\CBS\CBS.log")
        Detect      = { if ($null -ne $before -and $before.present) { $before } else { $null } }
        Verify      = { Assert-Payload $In.msu }
    }
    try {
        Invoke-Installer @arguments
    } catch {
        $facts = $_.Exception.Data['reseal']
        if ($null -ne $facts -and $facts['code'] -eq 2149842967) { $facts['kind'] = 'not_applicable' }
        throw
    }
}
