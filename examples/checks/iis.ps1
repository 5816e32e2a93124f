<#
.SYNOPSIS
    Fails unless IIS runs and its first page can be read.
#>
[CmdletBinding()]
param()

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$service = Get-Service -Name 'W3SVC'
if ($service.Status -ne 'Running') {
    throw ('W3SVC is {0}' -f $service.Status)
}
$answer = Invoke-WebRequest -Uri 'http://localhost/' -UseBasicParsing -TimeoutSec 30
if ($answer.StatusCode -ne 200) {
    throw ('The first page answers {0}' -f $answer.StatusCode)
}
Write-Output 'IIS answers'
