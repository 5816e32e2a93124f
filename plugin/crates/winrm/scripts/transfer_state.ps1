# reseal:transfer_state/1
# Is the file there and equal? Is a part of it there?
param([string] $InputJson)

function Get-FileSha256([string] $Path) {
    (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

function Get-FreeBytes([string] $Path) {
    try { (New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($Path))).AvailableFreeSpace } catch { $null }
}

$request = $InputJson | ConvertFrom-Json
$answer = @{ equal = $false; size = $null; partial = $null; free_bytes = Get-FreeBytes $request.path }
$target = New-Object IO.FileInfo $request.path
if ($target.Exists) {
    $answer.size = $target.Length
    if ($target.Length -eq [long] $request.size) { $answer.equal = (Get-FileSha256 $request.path) -eq $request.sha256 }
}
$part = New-Object IO.FileInfo ($request.path + '.partial')
if ($part.Exists) { $answer.partial = @{ size = $part.Length } }
Send-Result $answer
