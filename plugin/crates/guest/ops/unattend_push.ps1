<#
.SYNOPSIS
Writes the compiled answer file and removes those that Setup would take instead.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $bytes = [Convert]::FromBase64String($In.data)
    $removed = @(foreach ($path in @($In.remove)) {
            if ($path -eq $In.path -or -not (Test-Path -LiteralPath $path -PathType Leaf)) { continue }
            Remove-Item -LiteralPath $path -Force
            $path
        })
    $null = New-Item -ItemType Directory -Path (Split-Path -Parent $In.path) -Force
    $new = $In.path + '.new'
    [IO.File]::WriteAllBytes($new, $bytes)
    Move-Item -LiteralPath $new -Destination $In.path -Force
    $hash = Get-FileSha256 $In.path
    if ($hash -ne ([string]$In.sha256).ToLowerInvariant()) { Stop-Operation -Kind 'hash_mismatch' -Message "The answer file has the SHA-256 $hash instead of $($In.sha256)." }
    Send-Result ([ordered]@{ path = $In.path; sha256 = $hash; removed = @($removed) })
}
