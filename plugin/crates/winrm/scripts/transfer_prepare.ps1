# reseal:transfer_prepare/1
# Makes the folder and the part file, as long as the whole will be.
param([string] $InputJson)
$request = $InputJson | ConvertFrom-Json
$path = $request.path + '.partial'
[void] [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($path))
$share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
$file = New-Object IO.FileStream $path, ([IO.FileMode]::OpenOrCreate), ([IO.FileAccess]::Write), $share
try { $file.SetLength([long] $request.size) } finally { $file.Dispose() }
Send-Result @{ size = (New-Object IO.FileInfo $path).Length }
