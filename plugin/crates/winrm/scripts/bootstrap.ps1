# reseal:bootstrap/1
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

function Read-Exactly([IO.Stream] $From, [int] $Count) {
    $bytes = New-Object byte[] $Count
    $have = 0
    while ($have -lt $Count) {
        $got = $From.Read($bytes, $have, $Count - $have)
        if ($got -le 0) { exit 64 }
        $have += $got
    }
    , $bytes
}

$stdin = [Console]::OpenStandardInput()
$length = [BitConverter]::ToInt32((Read-Exactly $stdin 4), 0)
if ($length -lt 1 -or $length -gt 4194304) { exit 65 }
$text = [Text.Encoding]::UTF8.GetString((Read-Exactly $stdin $length))
& ([ScriptBlock]::Create($text)) $stdin
