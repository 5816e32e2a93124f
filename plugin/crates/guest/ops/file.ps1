<#
.SYNOPSIS
Writes a file, makes a folder, or removes what is there.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-Bytes {
    param($In)
    $encoding = switch ($In.encoding) {
        'utf8_bom' { New-Object Text.UTF8Encoding($true) }
        'utf16' { New-Object Text.UnicodeEncoding($false, $true) }
        default { New-Object Text.UTF8Encoding($false) }
    }
    return [byte[]](@($encoding.GetPreamble()) + @($encoding.GetBytes([string]$In.content)))
}

function Get-BytesHash {
    param([byte[]]$Bytes)
    $sha = [Security.Cryptography.SHA256]::Create()
    try { return [BitConverter]::ToString($sha.ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant() } finally { $sha.Dispose() }
}

function Set-File {
    # True when the file was another. The old one stays whole until the new one is complete.
    param($In, [string]$Path)
    $new = $Path + '.reseal-new'
    if ($null -ne $In.payload) {
        Assert-Payload $In.payload
        $hash = Get-FileSha256 $In.payload.path
    } else {
        $bytes = Get-Bytes $In
        $hash = Get-BytesHash $bytes
    }
    if (Test-Path -LiteralPath $Path -PathType Container) { Stop-Operation -Kind 'invalid_input' -Message "$Path is a folder, not a file." }
    if ((Test-Path -LiteralPath $Path -PathType Leaf) -and (Get-FileSha256 $Path) -eq $hash) { return $false }
    $parent = Split-Path -Parent $Path
    if ($parent) { $null = New-Item -ItemType Directory -Path $parent -Force }
    try {
        if ($null -ne $In.payload) { Copy-Item -LiteralPath $In.payload.path -Destination $new -Force } else { [IO.File]::WriteAllBytes($new, $bytes) }
        if ((Get-FileSha256 $new) -ne $hash) { Stop-Operation -Kind 'hash_mismatch' -Message "The file $Path was written, but its content is another." }
        Move-Item -LiteralPath $new -Destination $Path -Force
    } finally {
        Remove-Item -LiteralPath $new -Force -ErrorAction SilentlyContinue
    }
    return $true
}

function Invoke-Operation {
    param($In)
    $path = [Environment]::ExpandEnvironmentVariables($In.path)
    $exists = Test-Path -LiteralPath $path
    switch ($In.state) {
        'absent' {
            if ($exists) { Remove-Item -LiteralPath $path -Recurse -Force }
            $changed = $exists
        }
        'folder' {
            if (-not $exists) { $null = New-Item -ItemType Directory -Path $path -Force }
            elseif (-not (Test-Path -LiteralPath $path -PathType Container)) { Stop-Operation -Kind 'invalid_input' -Message "$path is a file, not a folder." }
            $changed = -not $exists
        }
        default { $changed = Set-File $In $path }
    }
    Send-Result (New-StepResult -Changed $changed -Already (-not $changed) -Detail $path)
}
