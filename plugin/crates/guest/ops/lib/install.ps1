# Install: detection, run, busy waits, exit codes, detection again; the same for every installer.

function Get-ExistingLogs {
    param([string[]]$Logs = @())
    return @($Logs | Where-Object { $_ -and (Test-Path -LiteralPath $_ -PathType Leaf) })
}

function Get-LateReport {
    # What was going on when an installer was too late: its last output and the newest temporary files.
    param($Run)
    $names = @()
    if ($env:TEMP) {
        $names = @(Get-ChildItem -LiteralPath $env:TEMP -File -ErrorAction SilentlyContinue | Sort-Object -Property LastWriteTimeUtc -Descending | Select-Object -First 5 | ForEach-Object { $_.FullName })
    }
    foreach ($name in $names) { Write-Log "Recently written: $name" }
    return (@($Run.tail) | Select-Object -Last 1)
}

function Invoke-WithPatience {
    # Runs the program again while it says that another installation is in progress.
    param($In, [string]$File, [string]$CommandLine, [string]$Folder, $ReadCode)
    $waited = 0
    $pause = 5
    while ($true) {
        $run = Invoke-Program -File $File -CommandLine $CommandLine -Seconds ([int]$In.timeout_seconds) -Folder $Folder
        if ($null -ne $ReadCode -and -not $run.timed_out) { $run.code = & $ReadCode $run.code }
        if ($run.timed_out -or @($In.codes.busy) -notcontains $run.code) { return $run }
        if ($waited -ge [int]$In.busy_seconds) {
            Stop-Operation -Kind 'busy' -Code $run.code -Message "Another installation was still in progress after $waited seconds."
        }
        Write-Log "Another installation is in progress; trying again in $pause seconds."
        Start-Sleep -Seconds $pause
        $waited += $pause
        $pause = [Math]::Min($pause * 2, 60)
    }
}

function Invoke-Installer {
    # Runs an installer between two detections and sends the result. $ReadCode may look the true code up in a log.
    param(
        [Parameter(Mandatory)]$In,
        [Parameter(Mandatory)][string]$File,
        [string]$CommandLine = '',
        [string[]]$Logs = @(),
        [scriptblock]$Detect = { $null },
        [scriptblock]$Verify = { },
        [scriptblock]$ReadCode = $null
    )
    $before = & $Detect
    if ($null -ne $before -and $before.present) {
        $result = New-StepResult -Already $true -Detail $before.detail
        $result.before = $before
        $result.after = $before
        Send-Result $result
        return
    }
    $null = & $Verify
    $run = Invoke-WithPatience -In $In -File $File -CommandLine $CommandLine -Folder $In.work -ReadCode $ReadCode
    $found = Get-ExistingLogs $Logs
    if ($run.timed_out) {
        $last = Get-LateReport $run
        Stop-Operation -Kind 'timeout' -Message "The installer did not end within $($In.timeout_seconds) seconds. $last".Trim() -Logs $found -Hint 'An installer that waits for a person looks like this: are its silent arguments right?'
    }
    if (@($In.codes.success) -notcontains $run.code) {
        Stop-Operation -Kind 'exit_code' -Code $run.code -Message "The installer ended with exit code $($run.code)." -Logs $found
    }
    Send-Result (Get-InstallResult -In $In -Run $run -Before $before -After (& $Detect) -Logs $found)
}

function Get-InstallResult {
    param($In, $Run, $Before, $After, [string[]]$Logs = @())
    $reboot = @($In.codes.reboot) -contains $Run.code
    $already = @($In.codes.already) -contains $Run.code
    $result = New-StepResult -Changed (-not $already) -Already $already
    $result.reboot_required = $reboot
    $result.exit_code = $Run.code
    $result.before = $Before
    $result.after = $After
    $result.logs = @($Logs)
    if ($null -ne $After) { $result.detail = $After.detail }
    if ($null -ne $After -and -not $After.present) {
        if (-not $reboot) {
            Stop-Operation -Kind 'not_detected' -Code $Run.code -Message "The installer said success, but detection says: $($After.detail)." -Logs $Logs
        }
        $result.warnings = @("not detected yet ($($After.detail)); the restart may complete it")
    }
    return $result
}
