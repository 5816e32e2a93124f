<#
.SYNOPSIS
    Switches old versions of TLS off and TLS 1.2 on, for servers and for clients.
#>
[CmdletBinding()]
param()

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$root = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols'

function Set-Protocol {
    param(
        [string]$Name,
        [bool]$Enabled
    )
    foreach ($side in 'Server', 'Client') {
        $key = Join-Path -Path (Join-Path -Path $root -ChildPath $Name) -ChildPath $side
        if (-not (Test-Path -Path $key)) {
            New-Item -Path $key -Force | Out-Null
        }
        New-ItemProperty -Path $key -Name 'Enabled' -Value ([int]$Enabled) -PropertyType DWord -Force | Out-Null
        New-ItemProperty -Path $key -Name 'DisabledByDefault' -Value ([int](-not $Enabled)) -PropertyType DWord -Force | Out-Null
    }
    Write-Output ('{0}: {1}' -f $Name, $(if ($Enabled) { 'on' } else { 'off' }))
}

foreach ($old in 'SSL 2.0', 'SSL 3.0', 'TLS 1.0', 'TLS 1.1') {
    Set-Protocol -Name $old -Enabled $false
}
Set-Protocol -Name 'TLS 1.2' -Enabled $true
