# reseal:transfer_hash/1
# The SHA-256 of a range of the part file.
param([string] $InputJson)
$request = $InputJson | ConvertFrom-Json
$path = $request.path + '.partial'
$share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
$file = New-Object IO.FileStream $path, ([IO.FileMode]::Open), ([IO.FileAccess]::Read), $share
$hasher = [Security.Cryptography.SHA256]::Create()
try {
    [void] $file.Seek([long] $request.offset, [IO.SeekOrigin]::Begin)
    $chunk = New-Object byte[] 262144
    $left = [long] $request.length
    while ($left -gt 0) {
        $got = $file.Read($chunk, 0, [int] [Math]::Min($left, [long] $chunk.Length))
        if ($got -le 0) { break }
        [void] $hasher.TransformBlock($chunk, 0, $got, $null, 0)
        $left -= $got
    }
    [void] $hasher.TransformFinalBlock($chunk, 0, 0)
    Send-Result @{ sha256 = [BitConverter]::ToString($hasher.Hash).Replace('-', '').ToLowerInvariant() }
} finally {
    $hasher.Dispose()
    $file.Dispose()
}
