<#
.SYNOPSIS
Lists everything in "Programs and Features".
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $roots = @(
        @{ scope = 'machine64'; path = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall' },
        @{ scope = 'machine32'; path = 'HKLM:\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall' },
        @{ scope = 'user'; path = 'HKCU:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall' }
    )
    $items = foreach ($root in $roots) {
        foreach ($key in @(Get-ChildItem -LiteralPath $root.path -ErrorAction SilentlyContinue)) {
            $name = [string]$key.GetValue('DisplayName', '')
            if ($name -eq '') { continue }
            [ordered]@{
                scope     = $root.scope
                id        = [string]$key.PSChildName
                name      = $name
                version   = [string]$key.GetValue('DisplayVersion', '')
                publisher = [string]$key.GetValue('Publisher', '')
                msi       = (($key.GetValue('WindowsInstaller', 0) -as [int]) -eq 1)
                hidden    = (($key.GetValue('SystemComponent', 0) -as [int]) -eq 1)
            }
        }
    }
    Send-Result ([ordered]@{ items = @($items) })
}
