<#
.SYNOPSIS
    Fails unless SMB 1 and TLS 1.0 are off.
#>
[CmdletBinding()]
param()

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$smb = Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Services\LanmanServer\Parameters' -Name 'SMB1'
if ($smb.SMB1 -ne 0) {
    throw 'SMB 1 is on'
}
$tls = Get-ItemProperty -Path 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server' -Name 'Enabled'
if ($tls.Enabled -ne 0) {
    throw 'TLS 1.0 is on'
}
Write-Output 'Old protocols are off'
