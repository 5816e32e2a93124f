# reseal:transfer_read/1
# A range of a file; with the SHA-256 of everything up to it when it reaches the end. The file may be in use.
param([string] $InputJson)

function Read-Range([IO.Stream] $File, [long] $Offset, [int] $Length) {
    $bytes = New-Object byte[] $Length
    [void] $File.Seek($Offset, [IO.SeekOrigin]::Begin)
    $have = 0
    while ($have -lt $Length) {
        $got = $File.Read($bytes, $have, $Length - $have)
        if ($got -le 0) { break }
        $have += $got
    }
    if ($have -lt $Length) { [Array]::Resize([ref] $bytes, $have) }
    , $bytes
}

function Get-Sha256([IO.Stream] $File, [long] $Length) {
    $hasher = [Security.Cryptography.SHA256]::Create()
    $chunk = New-Object byte[] 262144
    [void] $File.Seek(0, [IO.SeekOrigin]::Begin)
    $left = $Length
    while ($left -gt 0) {
        $got = $File.Read($chunk, 0, [int] [Math]::Min($left, [long] $chunk.Length))
        if ($got -le 0) { break }
        [void] $hasher.TransformBlock($chunk, 0, $got, $null, 0)
        $left -= $got
    }
    [void] $hasher.TransformFinalBlock($chunk, 0, 0)
    [BitConverter]::ToString($hasher.Hash).Replace('-', '').ToLowerInvariant()
    $hasher.Dispose()
}

$request = $InputJson | ConvertFrom-Json
$share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
$file = New-Object IO.FileStream $request.path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share
try {
    $offset = [long] $request.offset
    $bytes = Read-Range $file $offset ([int] $request.length)
    $size = $file.Length
    $hash = $null
    if ($offset + $bytes.Length -ge $size) { $hash = Get-Sha256 $file ($offset + $bytes.Length) }
    Send-Result @{ data = [Convert]::ToBase64String($bytes); size = $size; sha256 = $hash }
} finally { $file.Dispose() }
