# reseal:transfer_list/1
# Everything below a folder.
param([string] $InputJson)
$request = $InputJson | ConvertFrom-Json
$root = New-Object IO.DirectoryInfo $request.path
$entries = New-Object Collections.ArrayList
foreach ($item in $root.EnumerateFileSystemInfos('*', [IO.SearchOption]::AllDirectories)) {
    $folder = $item -is [IO.DirectoryInfo]
    $size = [long] 0
    if (-not $folder) { $size = $item.Length }
    [void] $entries.Add(@{ path = $item.FullName; size = $size; folder = $folder })
}
Send-Result @{ entries = $entries.ToArray() }
