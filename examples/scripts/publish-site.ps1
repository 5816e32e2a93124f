<#
.SYNOPSIS
    Puts the files of the site where IIS looks for them.
.PARAMETER Source
    The folder that the build has pushed.
.PARAMETER Site
    The name of the IIS site.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)]
    [string]$Source,

    [Parameter(Mandatory = $true)]
    [string]$Site
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module -Name WebAdministration
$target = (Get-Item -Path ('IIS:\Sites\' + $Site)).physicalPath
$target = [Environment]::ExpandEnvironmentVariables($target)
Get-ChildItem -Path $Source | Copy-Item -Destination $target -Recurse -Force
Write-Output ('Published {0} to {1}' -f $Source, $target)
