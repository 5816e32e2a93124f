<#
.SYNOPSIS
    Audits log-ons and account management, and makes the local group that may use Remote Desktop.
.PARAMETER Group
    The group's name.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)]
    [string]$Group
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# By their ids, so that the display language does not matter: Logon, Logoff, User Account Management.
$subcategories = @(
    '{0CCE9215-69AE-11D9-BED3-505054503030}',
    '{0CCE9216-69AE-11D9-BED3-505054503030}',
    '{0CCE9235-69AE-11D9-BED3-505054503030}'
)
foreach ($subcategory in $subcategories) {
    & auditpol.exe /set "/subcategory:$subcategory" /success:enable /failure:enable
    if ($LASTEXITCODE -ne 0) {
        throw ('auditpol ended with {0} for {1}' -f $LASTEXITCODE, $subcategory)
    }
}

if (-not (Get-LocalGroup | Where-Object -Property Name -EQ -Value $Group)) {
    New-LocalGroup -Name $Group -Description 'May log on by Remote Desktop' | Out-Null
}
Write-Output ('Auditing is on, group {0} is there' -f $Group)
