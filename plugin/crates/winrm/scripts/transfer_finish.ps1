# reseal:transfer_finish/1
# The part file becomes the file, if it is what was sent.
param([string] $InputJson)
$request = $InputJson | ConvertFrom-Json
$part = $request.path + '.partial'
$found = (Get-FileHash -LiteralPath $part -Algorithm SHA256).Hash.ToLowerInvariant()
$equal = $found -eq $request.sha256 -and (New-Object IO.FileInfo $part).Length -eq [long] $request.size
if ($equal) {
    if ([IO.File]::Exists($request.path)) {
        [IO.File]::SetAttributes($request.path, [IO.FileAttributes]::Normal)
        [IO.File]::Delete($request.path)
    }
    [IO.File]::Move($part, $request.path)
}
Send-Result @{ sha256 = $found; equal = $equal }
