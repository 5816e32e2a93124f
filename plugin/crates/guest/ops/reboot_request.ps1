<#
.SYNOPSIS
Asks Windows to restart.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Shutdown {
    param([string[]]$Arguments)
    $null = & (Join-Path $env:SystemRoot 'System32\shutdown.exe') @Arguments
    return ConvertTo-Code $LASTEXITCODE
}

function Invoke-Operation {
    param($In)
    $arguments = @('/r', '/f', '/t', [string][int]$In.delay_seconds, '/d', 'p:2:4', '/c', [string]$In.reason)
    $code = Invoke-Shutdown $arguments
    if ($code -eq 1190) {
        # Somebody else has planned one for later; ours is wanted now.
        $null = Invoke-Shutdown @('/a')
        $code = Invoke-Shutdown $arguments
    }
    switch ($code) {
        0 { $state = 'requested' }
        1115 { $state = 'in_progress' }
        1717 { $state = 'in_progress' }
        default { Stop-Operation -Kind 'exit_code' -Code $code -Message "Windows refused to restart: exit code $code." }
    }
    Send-Result ([ordered]@{ code = $code; state = $state })
}
