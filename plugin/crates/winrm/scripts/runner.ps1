# reseal:runner/1
# Runs operations that come as frames on standard input, one after the other. The contract is in
# docs/guest-protocol.md. What it offers to the operations of the transport: Get-Identity, Send-Result, Send-Failure.
param([IO.Stream] $Stdin)
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# UTF-8 whatever the console's code page is. Flushed after each line of log and at the end of an operation, so that its
# answer and its end mark arrive together.
[Console]::SetOut((New-Object IO.StreamWriter ([Console]::OpenStandardOutput()), (New-Object Text.UTF8Encoding $false), 65536))
# For programs that write to the console by themselves. Fails without a console, where nothing has to be changed.
try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false } catch { $null = $_ }
$global:ResealAnswered = $false

function Write-Mark([string] $Kind, [string] $Text) {
    # The line break before it ends whatever a program left unfinished.
    [Console]::Out.Write("`n##reseal:" + $Kind + ':' + $Text + "`n")
    if ($Kind -ne 'result') { [Console]::Out.Flush() }
}

function Write-Json([string] $Kind, $Value) {
    $json = ConvertTo-Json -InputObject $Value -Compress -Depth 8
    Write-Mark $Kind ([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($json)))
}

function Send-Result($Value) {
    $global:ResealAnswered = $true
    Write-Json 'result' @{ ok = $true; result = $Value }
}

function Send-Failure([string] $Message, [string] $Kind) {
    $global:ResealAnswered = $true
    Write-Json 'result' @{ ok = $false; error = @{ message = $Message; kind = $Kind; line = $null; hresult = $null } }
}

function Send-Exception([Management.Automation.ErrorRecord] $Record) {
    $global:ResealAnswered = $true
    $number = 0
    if ($null -ne $Record.InvocationInfo) { $number = $Record.InvocationInfo.ScriptLineNumber }
    $problem = @{
        message = $Record.Exception.Message
        kind    = 'exception'
        line    = $number
        hresult = ('0x{0:x8}' -f $Record.Exception.HResult)
    }
    Write-Json 'result' @{ ok = $false; error = $problem }
}

function Get-BootTime {
    try {
        $system = Get-CimInstance -ClassName Win32_OperatingSystem
        $culture = [Globalization.CultureInfo]::InvariantCulture
        return $system.LastBootUpTime.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', $culture)
    } catch { return '' }
}

function Get-BootId {
    try {
        $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters'
        return [long] (Get-ItemProperty -LiteralPath $key -Name BootId).BootId
    } catch { return $null }
}

function Get-UserSid {
    try { return [Security.Principal.WindowsIdentity]::GetCurrent().User.Value } catch { return '' }
}

function Get-Identity {
    @{
        process       = 'runner'
        version       = 1
        pid           = $PID
        boot_time     = Get-BootTime
        boot_id       = Get-BootId
        computer_name = [Environment]::MachineName
        user_sid      = Get-UserSid
        language_mode = [string] $ExecutionContext.SessionState.LanguageMode
    }
}

function Read-Bytes([long] $Count) {
    if ($Count -lt 0 -or $Count -gt 268435456) { throw 'a frame is longer than 256 MiB' }
    $bytes = New-Object byte[] $Count
    $have = 0
    while ($have -lt $Count) {
        $got = $Stdin.Read($bytes, $have, $Count - $have)
        if ($got -le 0) { exit 64 }
        $have += $got
    }
    , $bytes
}

function Read-Header {
    $length = [BitConverter]::ToInt32((Read-Bytes 4), 0)
    if ($length -lt 2 -or $length -gt 1048576) { throw "a header cannot have $length bytes" }
    [Text.Encoding]::UTF8.GetString((Read-Bytes $length)) | ConvertFrom-Json
}

function Get-Sha256([byte[]] $Bytes) {
    $hasher = [Security.Cryptography.SHA256]::Create()
    try { [BitConverter]::ToString($hasher.ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant() } finally { $hasher.Dispose() }
}

# What an operation puts out, in the order in which it comes.
function Write-Item($Item) {
    if ($null -eq $Item) { return }
    if ($Item -is [Management.Automation.ErrorRecord]) {
        [Console]::Error.WriteLine(($Item | Out-String -Width 200).TrimEnd())
        return
    }
    if ($Item -is [string]) {
        [Console]::Out.WriteLine($Item)
        if ($Item.StartsWith('##reseal:result:')) {
            $global:ResealAnswered = $true
            return
        }
    } elseif ($Item -is [Management.Automation.WarningRecord]) {
        [Console]::Out.WriteLine('WARNING: ' + $Item.Message)
    } elseif ($Item -is [Management.Automation.VerboseRecord] -or $Item -is [Management.Automation.DebugRecord]) {
        [Console]::Out.WriteLine($Item.Message)
    } elseif ($Item -is [Management.Automation.InformationRecord]) {
        [Console]::Out.WriteLine([string] $Item.MessageData)
    } else {
        [Console]::Out.WriteLine(($Item | Out-String -Width 200).TrimEnd())
    }
    [Console]::Out.Flush()
}

function Get-Script($Header, [byte[]] $Script) {
    if ($Script.Length -gt 0) {
        if ((Get-Sha256 $Script) -ne $Header.sha256) { throw 'the script does not have the SHA-256 that was announced' }
        $scripts[$Header.sha256] = [ScriptBlock]::Create([Text.Encoding]::UTF8.GetString($Script))
    }
    $scripts[$Header.sha256]
}

function Invoke-Operation($Header, [byte[]] $Script, [string] $InputJson) {
    $global:ResealAnswered = $false
    try {
        $block = Get-Script $Header $Script
        if ($null -eq $block) {
            Send-Failure 'the runner was not given this script before' 'unknown_script'
            return
        }
        # The loop of one turn catches a stray break or continue.
        foreach ($once in 1) {
            & $block $InputJson *>&1 | ForEach-Object { Write-Item $_ }
        }
        if (-not $global:ResealAnswered) { Send-Failure 'the script ended without a result' 'no_result' }
    } catch {
        if ($global:ResealAnswered) { Write-Item $_ } else { Send-Exception $_ }
    }
}

$scripts = @{}
Write-Json 'ready' (Get-Identity)
while ($true) {
    try {
        $header = Read-Header
        $op = [string] $header.op
        $id = [long] $header.id
        $scriptBytes = Read-Bytes ([long] $header.script)
        $inputText = [Text.Encoding]::UTF8.GetString((Read-Bytes ([long] $header.input)))
    } catch {
        # Nobody knows where the next frame would begin.
        Send-Failure ('a frame cannot be read: ' + $_.Exception.Message) 'bad_frame'
        [Console]::Out.Flush()
        exit 65
    }
    if ($op -eq 'exit') { Write-Mark 'end' ([string] $id); exit 0 }
    # 'sync' only answers, in its turn: whoever lost output learns that no more of it will come.
    if ($op -ne 'sync') { Invoke-Operation $header $scriptBytes $inputText }
    Write-Mark 'end' ([string] $id)
}
