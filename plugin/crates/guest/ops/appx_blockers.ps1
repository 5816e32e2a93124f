<#
.SYNOPSIS
Lists app packages that are installed for a user but not provisioned.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    Send-Result (Get-AppxFacts)
}
