# reseal:receiver/1
# Writes frames of bytes from standard input to files. The contract is in docs/guest-protocol.md.
param([IO.Stream] $Stdin)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

# Flushed at the end of a frame, so that its answer and its end mark arrive together.
[Console]::SetOut((New-Object IO.StreamWriter ([Console]::OpenStandardOutput()), (New-Object Text.UTF8Encoding $false), 65536))

# Bytes that were read and not used yet: from At to End.
$buffer = New-Object byte[] 262144
$state = @{ At = 0; End = 0 }

function Write-Mark([string] $Kind, [string] $Text) {
    [Console]::Out.Write("`n##reseal:" + $Kind + ':' + $Text + "`n")
    if ($Kind -ne 'result') { [Console]::Out.Flush() }
}

function Write-Json([string] $Kind, $Value) {
    $json = ConvertTo-Json -InputObject $Value -Compress -Depth 5
    Write-Mark $Kind ([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($json)))
}

function Read-More {
    if ($state.At -lt $state.End) { return }
    $got = $Stdin.Read($buffer, 0, $buffer.Length)
    if ($got -le 0) { exit 64 }
    $state.At = 0
    $state.End = $got
}

function Read-Bytes([int] $Count) {
    $bytes = New-Object byte[] $Count
    $have = 0
    while ($have -lt $Count) {
        Read-More
        $take = [Math]::Min($Count - $have, $state.End - $state.At)
        [Array]::Copy($buffer, $state.At, $bytes, $have, $take)
        $state.At += $take
        $have += $take
    }
    , $bytes
}

# One line of ASCII without its end.
function Read-Line {
    $line = New-Object Text.StringBuilder
    while ($true) {
        Read-More
        $at = [Array]::IndexOf($buffer, [byte] 10, $state.At, $state.End - $state.At)
        $stop = $at
        if ($at -lt 0) { $stop = $state.End }
        [void] $line.Append([Text.Encoding]::ASCII.GetString($buffer, $state.At, $stop - $state.At))
        if ($at -ge 0) {
            $state.At = $at + 1
            return $line.ToString().TrimEnd("`r")
        }
        $state.At = $state.End
        if ($line.Length -gt 4194304) { throw 'a line is longer than 4 MiB' }
    }
}

function Read-Header {
    $length = [BitConverter]::ToInt32((Read-Bytes 4), 0)
    if ($length -lt 2 -or $length -gt 65536) { throw "a header cannot have $length bytes" }
    [Text.Encoding]::UTF8.GetString((Read-Bytes $length)) | ConvertFrom-Json
}

function Open-Target([string] $Path, [long] $Offset) {
    [void] [IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($Path))
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $file = New-Object IO.FileStream $Path, ([IO.FileMode]::OpenOrCreate), ([IO.FileAccess]::Write), $share, 65536
    [void] $file.Seek($Offset, [IO.SeekOrigin]::Begin)
    $file
}

# Where the bytes of one frame go: a hash, a file (or none), and the first thing that went wrong. The rest of the frame
# is read and thrown away then, so that the next one is found.
function New-Sink($Header) {
    $sink = @{ File = $null; Hash = [Security.Cryptography.SHA256]::Create(); Written = [long] 0; Problem = $null }
    if ($Header.mode -ne 'self_test') {
        try { $sink.File = Open-Target $Header.path ([long] $Header.offset) } catch { $sink.Problem = $_ }
    }
    $sink
}

function Add-Bytes($Sink, [byte[]] $Bytes, [int] $From, [int] $Count) {
    if ($null -ne $Sink.Problem) { return }
    try {
        [void] $Sink.Hash.TransformBlock($Bytes, $From, $Count, $null, 0)
        if ($null -ne $Sink.File) { $Sink.File.Write($Bytes, $From, $Count) }
        $Sink.Written += $Count
    } catch { $Sink.Problem = $_ }
}

function Copy-Raw($Sink, [long] $Length) {
    $left = $Length
    while ($left -gt 0) {
        Read-More
        $take = [int] [Math]::Min($left, [long] ($state.End - $state.At))
        Add-Bytes $Sink $buffer $state.At $take
        $state.At += $take
        $left -= $take
    }
}

function Copy-Base64($Sink) {
    while ($true) {
        $line = Read-Line
        if ($line -eq '') { return }
        try {
            $bytes = [Convert]::FromBase64String($line)
            Add-Bytes $Sink $bytes 0 $bytes.Length
        } catch { if ($null -eq $Sink.Problem) { $Sink.Problem = $_ } }
    }
}

function Close-Sink($Sink) {
    try {
        if ($null -ne $Sink.File) { $Sink.File.Dispose() }
    } catch { if ($null -eq $Sink.Problem) { $Sink.Problem = $_ } }
    [void] $Sink.Hash.TransformFinalBlock((New-Object byte[] 0), 0, 0)
    $hash = [BitConverter]::ToString($Sink.Hash.Hash).Replace('-', '').ToLowerInvariant()
    $Sink.Hash.Dispose()
    $hash
}

function Send-Answer($Sink, [string] $Hash) {
    if ($null -eq $Sink.Problem) {
        Write-Json 'result' @{ ok = $true; result = @{ written = $Sink.Written; sha256 = $Hash } }
        return
    }
    $cause = $Sink.Problem.Exception
    while ($null -ne $cause.InnerException) { $cause = $cause.InnerException }
    $problem = @{ message = $cause.Message; kind = 'io'; line = $null; hresult = ('0x{0:x8}' -f $cause.HResult) }
    Write-Json 'result' @{ ok = $false; error = $problem }
}

function Receive-Frame($Header) {
    $sink = New-Sink $Header
    if ($Header.mode -eq 'base64') { Copy-Base64 $sink } else { Copy-Raw $sink ([long] $Header.length) }
    $hash = Close-Sink $sink
    if ($null -eq $sink.Problem -and $sink.Written -ne [long] $Header.length) {
        $short = New-Object IO.InvalidDataException "$($sink.Written) bytes came instead of $($Header.length)"
        $sink.Problem = @{ Exception = $short }
    }
    Send-Answer $sink $hash
}

Write-Json 'ready' @{ process = 'receiver'; version = 1 }
while ($true) {
    try {
        $header = Read-Header
        $id = [long] $header.id
        $op = ''
        if ($header.PSObject.Properties.Match('op').Count -gt 0) { $op = [string] $header.op }
        if ($op -eq 'exit') { Write-Mark 'end' ([string] $id); exit 0 }
        Receive-Frame $header
    } catch {
        # Nobody knows where the next frame would begin.
        $problem = @{ message = $_.Exception.Message; kind = 'bad_frame'; line = $null; hresult = $null }
        Write-Json 'result' @{ ok = $false; error = $problem }
        [Console]::Out.Flush()
        exit 65
    }
    Write-Mark 'end' ([string] $id)
}
