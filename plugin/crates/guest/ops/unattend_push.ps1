<#
.SYNOPSIS
Writes the compiled answer file, whole or not at all, and removes those that Setup would take instead.
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
    $old = Remove-AnswerFiles -Except $In.path
    if ($old.left.Count -gt 0) { Stop-Operation -Kind 'access_denied' -Message "An old answer file could not be removed: $($old.left -join ', ')" -Hint 'Setup would take it instead of the new one.' }
    $null = New-Item -ItemType Directory -Path (Split-Path -Parent $In.path) -Force
    $new = $In.path + '.new'
    try {
        [IO.File]::WriteAllBytes($new, $bytes)
        $hash = Get-FileSha256 $new
        if ($hash -ne ([string]$In.sha256).ToLowerInvariant()) { Stop-Operation -Kind 'hash_mismatch' -Message "The answer file has the SHA-256 $hash instead of $($In.sha256)." }
        Move-Item -LiteralPath $new -Destination $In.path -Force
    } finally {
        Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
    }
    Send-Result ([ordered]@{ path = $In.path; sha256 = $hash; removed = @($old.removed) })
}
