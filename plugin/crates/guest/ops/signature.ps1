<#
.SYNOPSIS
Reads the Authenticode signature of a file.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    if (-not (Test-Path -LiteralPath $In.path -PathType Leaf)) { Stop-Operation -Kind 'missing_file' -Message "The file $($In.path) is not there." }
    Send-Result (Get-SignatureFacts $In.path)
}
