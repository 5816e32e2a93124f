<#
.SYNOPSIS
Draft.
#>
param([Parameter(Mandatory)][string]$InputJson)
