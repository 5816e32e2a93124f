<#
.SYNOPSIS
Removes a task and its folder.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $null = Remove-OwnTask (Get-TaskFolder) $In.task
    for ($try = 0; $try -lt 10 -and (Test-Path -LiteralPath $In.work); $try++) {
        if ($try -gt 0) { Start-Sleep -Milliseconds 300 }
        Remove-Item -LiteralPath $In.work -Recurse -Force -ErrorAction SilentlyContinue
    }
    if (Test-Path -LiteralPath $In.work) { Stop-Operation -Kind 'access_denied' -Message "The folder $($In.work) could not be removed." }
    Send-Result @{}
}
