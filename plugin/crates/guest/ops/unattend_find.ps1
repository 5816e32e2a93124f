<#
.SYNOPSIS
Finds the providers answer file.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-EncodingName {
    param([byte[]]$Bytes)
    if ($Bytes.Length -ge 3 -and $Bytes[0] -eq 0xEF -and $Bytes[1] -eq 0xBB -and $Bytes[2] -eq 0xBF) { return 'utf8_bom' }
    if ($Bytes.Length -ge 2 -and $Bytes[0] -eq 0xFF -and $Bytes[1] -eq 0xFE) { return 'utf16le' }
    if ($Bytes.Length -ge 2 -and $Bytes[0] -eq 0xFE -and $Bytes[1] -eq 0xFF) { return 'utf16be' }
    return 'utf8'
}

function Invoke-Operation {
    param($In)
    $architecture = switch ([string]$env:PROCESSOR_ARCHITECTURE) { 'ARM64' { 'arm64' } 'x86' { 'x86' } default { 'amd64' } }
    $path = @($In.candidates) | Where-Object { Test-Path -LiteralPath $_ -PathType Leaf } | Select-Object -First 1
    if ($null -eq $path) {
        Send-Result ([ordered]@{ found = $false; path = $null; data = $null; encoding = $null; architecture = $architecture })
        return
    }
    $bytes = [IO.File]::ReadAllBytes($path)
    Send-Result ([ordered]@{ found = $true; path = [string]$path; data = [Convert]::ToBase64String($bytes); encoding = (Get-EncodingName $bytes); architecture = $architecture })
}
