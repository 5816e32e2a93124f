<#
.SYNOPSIS
Runs sysprep, proves that the machine is generalized, removes what the build left, and shuts the machine down.
.DESCRIPTION
Runs as a scheduled task, because sysprep must not die with the connection. What it must know stands in settings.json in
its own folder. It says where it is in status.json there. Four proofs must agree before anything else happens: the tag
file, ImageState, GeneralizationState, and SetupType with CmdLine. When one is missing nothing is removed and the machine
stays on, so that the logs can be read.
#>
[CmdletBinding()]
param()

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$here = Split-Path -Parent $MyInvocation.MyCommand.Path
# A folder that a process stands in cannot be deleted.
[Environment]::CurrentDirectory = $env:SystemRoot
Set-Location -LiteralPath $env:SystemRoot
$utf8 = New-Object Text.UTF8Encoding($false)
$job = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText((Join-Path $here 'settings.json')))
$settings = $job.settings
$sysprepFolder = Join-Path $env:SystemRoot 'System32\Sysprep'
$tag = Join-Path $sysprepFolder 'Sysprep_succeeded.tag'
$started = [DateTime]::UtcNow

# reseal:libraries

function Set-Status {
    # Replaces the file at once, so that a reader sees the old or the new and never half.
    param([string]$Phase, [hashtable]$More = @{})
    $status = [ordered]@{ phase = $Phase; utc = (Get-UtcText ([DateTime]::UtcNow)) }
    foreach ($key in $More.Keys) { $status[$key] = $More[$key] }
    $file = Join-Path $here 'status.json'
    $new = Join-Path $here 'status.new'
    [IO.File]::WriteAllText($new, (ConvertTo-Json -InputObject $status -Compress -Depth 5), $utf8)
    for ($try = 0; $try -lt 20; $try++) {
        try {
            if ([IO.File]::Exists($file)) { [IO.File]::Replace($new, $file, [NullString]::Value) } else { [IO.File]::Move($new, $file) }
            return
        } catch [IO.IOException] {
            Start-Sleep -Milliseconds 50 # somebody is reading
        }
    }
}

function Send-Serial {
    # One line on the serial port, for a console log that outlives the machine. There may be no port.
    param([string]$Text)
    [Console]::Out.WriteLine("RESEAL $($settings.run) $Text")
    try {
        $port = New-Object IO.Ports.SerialPort('COM1', 115200)
        $port.WriteTimeout = 3000
        $port.Open()
        $port.WriteLine("RESEAL $($settings.run) $Text")
        $port.Close()
    } catch {
        return
    }
}

function Invoke-Cleanup {
    # One thing to take away. What fails is named on the serial port, and the next one is done all the same: the image is
    # good, and what is left in it is somebody's to know.
    param([string]$What, [scriptblock]$Do)
    try { $null = & $Do } catch { Send-Serial "LEFT ${What}: $($_.Exception.Message)" }
}

function Get-OwnEvidence {
    # The proofs of this run; sysprep itself must have ended too.
    $evidence = Get-Evidence $started.AddSeconds(-5)
    if (@(Get-Process -Name sysprep -ErrorAction SilentlyContinue).Count -gt 0) { $evidence.good = $false }
    return $evidence
}

function Get-SysprepArguments {
    # The answer file's path has no blanks, so no quotes are needed; sysprep would take them for a part of the name.
    $mode = if ($settings.mode_vm) { '/mode:vm ' } else { '' }
    return '/generalize /oobe ' + $mode + '/quit /quiet /unattend:' + $settings.answer_file
}

function Start-Sysprep {
    $info = New-Object Diagnostics.ProcessStartInfo((Join-Path $sysprepFolder 'sysprep.exe'), (Get-SysprepArguments))
    $info.UseShellExecute = $false
    $info.WorkingDirectory = $sysprepFolder
    $process = [Diagnostics.Process]::Start($info)
    $null = $process.Handle
    return $process
}

function Save-OldLogs {
    # A new run may clear them or write behind them.
    $old = Join-Path $sysprepFolder 'Panther'
    if (Test-Path -LiteralPath $old) { Copy-Item -LiteralPath $old -Destination (Join-Path $here 'panther-before') -Recurse -Force -ErrorAction SilentlyContinue }
}

function Wait-Evidence {
    # The tag can appear a little after the process is gone.
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $evidence = Get-OwnEvidence
        if ($evidence.good -or $watch.Elapsed.TotalSeconds -gt [long]$settings.verify_seconds) { return $evidence }
        Start-Sleep -Seconds 1
    }
}

function Wait-Seen {
    # The proofs stand until the builder has written them down, so that it may be killed and come back. Nobody is waited
    # for longer than the limit.
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($watch.Elapsed.TotalSeconds -lt [long]$settings.linger_seconds) {
        if (Test-Path -LiteralPath (Join-Path $here 'seen')) { return }
        Start-Sleep -Seconds 1
    }
}

function Undo-Listener {
    # Back to the certificate that was there before, or away with the listener.
    param($Entry)
    $selector = @{ Address = '*'; Transport = 'HTTPS' }
    if ($Entry.existed -and $Entry.thumbprint -and (Test-Path -LiteralPath "Cert:\LocalMachine\My\$($Entry.thumbprint)")) {
        $null = Set-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector -ValueSet @{ CertificateThumbprint = [string]$Entry.thumbprint }
        return
    }
    Remove-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector
}

function Undo-Certificate {
    # With its private key, which every machine made of the image would share.
    param([string]$Path)
    if (Test-Path -LiteralPath $Path) { Remove-Item -LiteralPath $Path -DeleteKey -Force }
}

function Remove-Path {
    param([string]$Path)
    if ($Path -and (Test-Path -LiteralPath $Path)) { Remove-Item -LiteralPath $Path -Recurse -Force }
}

function Undo-One {
    param($Entry)
    switch ($Entry.kind) {
        'value' { Undo-Value $Entry }
        'listener' { Undo-Listener $Entry }
        'certificate' { Undo-Certificate "Cert:\LocalMachine\My\$($Entry.thumbprint)" }
        'firewall' { Get-NetFirewallRule -Name $Entry.name -ErrorAction SilentlyContinue | Remove-NetFirewallRule }
        'task' { Get-ScheduledTask -TaskName $Entry.name -ErrorAction SilentlyContinue | Unregister-ScheduledTask -Confirm:$false }
        'folder' { Remove-Path $Entry.path }
        'service' { Set-Service -Name $Entry.name -StartupType $(if ($Entry.start -eq 'Auto') { 'Automatic' } else { $Entry.start }) }
        default { throw "a change of kind '$($Entry.kind)' is not known" }
    }
}

function Undo-Bootstrap {
    # What was changed for the build only, backwards.
    $key = Get-Item -LiteralPath (Join-Path $settings.undo_key 'Undo') -ErrorAction SilentlyContinue
    if ($null -eq $key) { return }
    foreach ($name in @($key.GetValueNames() | Sort-Object -Descending)) {
        $text = [string]$key.GetValue($name)
        Invoke-Cleanup "change $name" { Undo-One (ConvertFrom-Json -InputObject $text) }
    }
    $key.Dispose()
}

function Remove-UndoKey {
    [Microsoft.Win32.Registry]::LocalMachine.DeleteSubKeyTree(([string]$settings.undo_key -replace '^HKLM:\\', ''), $false)
}

function Remove-BuildAccount {
    # The account goes now. Its profile is loaded while this runs, so what is left of it goes at the clone's first boot.
    if (-not $settings.build_account) { return }
    $user = Get-LocalUser -Name $settings.build_account -ErrorAction SilentlyContinue
    if ($null -eq $user) { return }
    $sid = [string]$user.SID
    Remove-LocalUser -Name $settings.build_account
    Invoke-Cleanup "profile of $($settings.build_account)" { Remove-BuildProfile $sid }
}

function Remove-BuildProfile {
    param([string]$Sid)
    $userProfile = Get-CimInstance -ClassName Win32_UserProfile | Where-Object { [string]$_.SID -eq $Sid } | Select-Object -First 1
    if ($null -eq $userProfile) { return }
    $path = [string]$userProfile.LocalPath
    if (-not $userProfile.Loaded) { Remove-CimInstance -InputObject $userProfile -ErrorAction SilentlyContinue }
    if (-not $path -or -not (Test-Path -LiteralPath $path)) { return }
    $scripts = Join-Path $env:SystemRoot 'Setup\Scripts'
    $null = New-Item -ItemType Directory -Path $scripts -Force
    $lines = @(
        "rd /s /q `"$path`"",
        "reg.exe delete `"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\$Sid`" /f"
    )
    [IO.File]::AppendAllText((Join-Path $scripts 'SetupComplete.cmd'), "`r`n" + ($lines -join "`r`n") + "`r`n", (New-Object Text.ASCIIEncoding))
}

function Remove-OwnTask {
    # A task that is not there any more is no complaint.
    $service = New-Object -ComObject Schedule.Service
    $service.Connect()
    $folder = $service.GetFolder('\')
    try { $null = $folder.GetTask($job.task) } catch { return }
    $folder.DeleteTask($job.task, 0)
}

function Remove-Traces {
    # Everything of ours, each by itself. The running script has been read as a whole, so its file can go; its folder goes last.
    Invoke-Cleanup 'status' { Set-Status 'cleaning' @{ evidence = (Get-OwnEvidence) } }
    Undo-Bootstrap
    Invoke-Cleanup 'undo key' { Remove-UndoKey }
    Invoke-Cleanup 'build account' { Remove-BuildAccount }
    Invoke-Cleanup 'status' { Set-Status 'shutting_down' @{ evidence = (Get-OwnEvidence) } }
    foreach ($path in @($settings.answer_file) + @($settings.delete) | Where-Object { $_ -ne $here }) {
        Invoke-Cleanup $path { Remove-Path $path }
    }
    Invoke-Cleanup "task $($job.task)" { Remove-OwnTask }
    Invoke-Cleanup $here { Remove-Path $here }
}

function Stop-Machine {
    if (-not $settings.shutdown) { return }
    $null = & (Join-Path $env:SystemRoot 'System32\shutdown.exe') '/s' '/f' '/t' '5' '/d' 'p:2:4'
    # 1115 and 1190: the machine is going down already.
    if (@(0, 1115, 1190) -notcontains $LASTEXITCODE) {
        Send-Serial "LEFT running: shutdown.exe ended with $LASTEXITCODE"
        Stop-Computer -Force
    }
}

function Invoke-Sysprep {
    # True when all four proofs are there.
    Save-OldLogs
    if (Test-Path -LiteralPath $tag) { Remove-Item -LiteralPath $tag -Force }
    try {
        $process = Start-Sysprep
    } catch {
        Set-Status 'failed' @{ reason = 'start_failed'; error = [string]$_.Exception.Message }
        return $false
    }
    Set-Status 'generalizing' @{ pid = $process.Id }
    if (-not $process.WaitForExit([int]([long]$settings.timeout_seconds * 1000))) {
        try { $process.Kill() } catch { $null = $_ }
        Set-Status 'failed' @{ reason = 'timeout'; evidence = (Get-OwnEvidence) }
        return $false
    }
    Set-Status 'verifying' @{ exit_code = $process.ExitCode }
    $evidence = Wait-Evidence
    if (-not $evidence.good) {
        Set-Status 'failed' @{ reason = 'not_generalized'; exit_code = $process.ExitCode; evidence = $evidence }
        return $false
    }
    Set-Status 'generalized' @{ exit_code = $process.ExitCode; evidence = $evidence }
    return $true
}

try {
    Set-Status 'starting'
    if (-not (Invoke-Sysprep)) {
        Send-Serial 'FAILED'
        exit 3
    }
} catch {
    Set-Status 'failed' @{ reason = 'wrapper'; error = [string]$_.Exception.Message }
    Send-Serial 'FAILED wrapper'
    exit 4
}
# From here on the machine is generalized: nothing may keep it from shutting down.
Send-Serial 'GENERALIZED'
Invoke-Cleanup 'wait' { Wait-Seen }
Invoke-Cleanup 'traces' { Remove-Traces }
Stop-Machine
exit 0
