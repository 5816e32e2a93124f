<#
.SYNOPSIS
    Sees that Korean is there and makes it the language of programs that do not know Unicode.
#>
[CmdletBinding()]
param()

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$culture = Get-UICulture
Write-Output ('Display language: {0}' -f $culture.Name)
if ($culture.Name -ne 'ko-KR') {
    throw 'The display language of this image is not Korean; take the KO image as base.'
}
Set-WinSystemLocale -SystemLocale 'ko-KR'
