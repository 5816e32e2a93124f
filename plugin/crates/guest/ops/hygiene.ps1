<#
.SYNOPSIS
Cleans what should not be in an image.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-FreeBytes {
    return [long](Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID='C:'").FreeSpace
}

function Test-Kept {
    param([string]$Path, [string[]]$Keep)
    foreach ($kept in $Keep) { if ($kept -and ($Path -like "$kept*" -or $kept -like "$Path\*")) { return $true } }
    return $false
}

function Remove-Contents {
    # Deletes what is in a folder, file by file, so that one file in use does not save the others.
    param([string]$Folder, [string[]]$Keep, [hashtable]$Count)
    if (-not $Folder -or -not (Test-Path -LiteralPath $Folder -PathType Container)) { return }
    foreach ($item in @(Get-ChildItem -LiteralPath $Folder -Force -ErrorAction SilentlyContinue)) {
        if (Test-Kept $item.FullName $Keep) { continue }
        if ($item.PSIsContainer -and -not ($item.Attributes -band [IO.FileAttributes]::ReparsePoint)) { Remove-Contents $item.FullName $Keep $Count }
        try {
            Remove-Item -LiteralPath $item.FullName -Force -Recurse:($item.PSIsContainer)
            $Count.removed++
        } catch {
            Add-Failure $Count $item.FullName
        }
    }
}

function Add-Failure {
    # The first of them by name; the rest is a number.
    param([hashtable]$Count, [string]$What)
    $Count.failed++
    if ($Count.left.Count -lt 10) { $null = $Count.left.Add($What) }
}

function Remove-Files {
    param([string[]]$Paths, [hashtable]$Count)
    foreach ($path in $Paths) {
        if (-not $path -or -not (Test-Path -LiteralPath $path)) { continue }
        try {
            Remove-Item -LiteralPath $path -Force -Recurse
            $Count.removed++
        } catch {
            Add-Failure $Count $path
        }
    }
}

function Invoke-Tool {
    # A program of Windows; its exit code must be in the list.
    param([string]$Name, [string]$CommandLine, [long]$Seconds, [long[]]$Good = @(0))
    $run = Invoke-Program -File (Join-Path $env:SystemRoot "System32\$Name") -CommandLine $CommandLine -Seconds ([int]$Seconds)
    if ($run.timed_out) { throw "$Name did not end within $Seconds seconds" }
    if ($Good -notcontains $run.code) { throw "$Name ended with $($run.code)" }
}

function Clear-Temp {
    param($In, [hashtable]$Count)
    foreach ($folder in (Get-TempFolders)) { Remove-Contents $folder $In.keep $Count }
}

function Clear-CrashDumps {
    param($In, [hashtable]$Count)
    foreach ($folder in (Get-CrashFolders)) { Remove-Contents $folder $In.keep $Count }
    Remove-Files (Find-CrashDumps) $Count
}

function Clear-EventLogs {
    param([hashtable]$Count)
    $session = [Diagnostics.Eventing.Reader.EventLogSession]::GlobalSession
    foreach ($log in @($session.GetLogNames())) {
        # Some diagnostic logs refuse while they are recorded.
        try {
            $session.ClearLog($log)
            $Count.removed++
        } catch {
            Add-Failure $Count $log
        }
    }
}

function Clear-UpdateCache {
    param([hashtable]$Count)
    Clear-Stopped @('wuauserv', 'bits', 'UsoSvc') "$env:SystemRoot\SoftwareDistribution\Download" $Count
}

function Clear-DeliveryOptimization {
    param([hashtable]$Count)
    $cache = "$env:SystemRoot\ServiceProfiles\NetworkService\AppData\Local\Microsoft\Windows\DeliveryOptimization\Cache"
    if (Get-Command -Name Delete-DeliveryOptimizationCache -ErrorAction SilentlyContinue) { Delete-DeliveryOptimizationCache -Force -ErrorAction SilentlyContinue } # winps: ignore C105,C106,C109 only where it is there
    Clear-Stopped @('DoSvc') $cache $Count
}

function Clear-Stopped {
    # Empties a folder while the services that use it are stopped.
    param([string[]]$Services, [string]$Folder, [hashtable]$Count)
    $running = @($Services | Where-Object { $service = Get-Service -Name $_ -ErrorAction SilentlyContinue; $null -ne $service -and [string]$service.Status -eq 'Running' })
    foreach ($name in $running) {
        try { $null = Stop-BoundedService $name } catch { Write-Log $_.Exception.Message }
    }
    Remove-Contents $Folder @() $Count
    # A stopped update service can make sysprep's validators fail.
    foreach ($name in $running) {
        try { $null = Start-BoundedService $name } catch { Write-Log $_.Exception.Message }
    }
}

function Clear-Values {
    param([string]$Key, [string[]]$Names, [hashtable]$Count)
    foreach ($name in $Names) {
        Remove-ItemProperty -LiteralPath $Key -Name $name -Force
        $Count.removed++
    }
}

function Clear-Logs {
    param($In, [hashtable]$Count)
    foreach ($folder in (Get-LogFolders)) { Remove-Contents $folder $In.keep $Count }
    Remove-Files (Find-SetupLogs) $Count
}

function Clear-PowerShellHistory {
    param([hashtable]$Count)
    Remove-Files (Find-Histories) $Count
    Remove-Files (Find-Transcripts) $Count
    foreach ($log in 'Microsoft-Windows-PowerShell/Operational', 'Windows PowerShell') {
        try { [Diagnostics.Eventing.Reader.EventLogSession]::GlobalSession.ClearLog($log); $Count.removed++ } catch { Add-Failure $Count $log }
    }
}

function Clear-RunHistory {
    # Of every account whose part of the registry is loaded, the build's own among them.
    param([hashtable]$Count)
    $explorer = 'SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer'
    foreach ($user in @(Get-ChildItem -Path 'Registry::HKEY_USERS' -ErrorAction SilentlyContinue)) {
        foreach ($list in 'RunMRU', 'TypedPaths') {
            $path = "Registry::HKEY_USERS\$($user.PSChildName)\$explorer\$list"
            $key = Get-Item -LiteralPath $path -ErrorAction SilentlyContinue
            if ($null -eq $key) { continue }
            Clear-Values $path @($key.GetValueNames()) $Count
        }
    }
}

function Clear-AnswerFiles {
    param([hashtable]$Count)
    $old = Remove-AnswerFiles
    $Count.removed += $old.removed.Count
    foreach ($left in $old.left) { Add-Failure $Count $left }
}

function Write-Zeros {
    # One file of zeros until a gigabyte is left, so that nothing else runs out of room.
    param([long]$Seconds)
    $path = Join-Path $env:SystemDrive 'reseal-zero.bin'
    $drive = New-Object IO.DriveInfo($env:SystemDrive)
    $block = New-Object byte[] 8388608
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $file = New-Object IO.FileStream($path, [IO.FileMode]::Create, [IO.FileAccess]::Write, [IO.FileShare]::None, $block.Length, [IO.FileOptions]::WriteThrough)
    try {
        while ($drive.AvailableFreeSpace -gt (1GB + $block.Length)) {
            if ($watch.Elapsed.TotalSeconds -gt $Seconds) { throw "not all free space was filled within $Seconds seconds" }
            $file.Write($block, 0, $block.Length)
        }
    } finally {
        $file.Dispose()
        Remove-Item -LiteralPath $path -Force
    }
}

function Clear-Category {
    param([string]$Category, $In, [hashtable]$Count, [long]$Seconds)
    switch ($Category) {
        'temp' { Clear-Temp $In $Count }
        'crash_dumps' { Clear-CrashDumps $In $Count }
        'recycle_bin' { Remove-Contents "$env:SystemDrive\`$Recycle.Bin" $In.keep $Count }
        'prefetch' { Remove-Contents "$env:SystemRoot\Prefetch" $In.keep $Count }
        'event_logs' { Clear-EventLogs $Count }
        'component_store' { Invoke-Tool 'dism.exe' '/English /Online /Cleanup-Image /StartComponentCleanup /ResetBase /Quiet' $Seconds @(0, 3010) }
        'update_cache' { Clear-UpdateCache $Count }
        'delivery_optimization' { Clear-DeliveryOptimization $Count }
        'run_history' { Clear-RunHistory $Count }
        'powershell_history' { Clear-PowerShellHistory $Count }
        'answer_files' { Clear-AnswerFiles $Count }
        'winlogon' { Clear-Values 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon' (Find-WinlogonValues) $Count }
        'logs' { Clear-Logs $In $Count }
        'wsus_id' { Clear-Values 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate' (Find-WsusValues) $Count }
        'ssh_host_keys' { Remove-Files (Find-SshHostKeys) $Count }
        'windows_old' { Remove-Files (Find-UpgradeFolders) $Count }
        'shadow_copies' { Invoke-Tool 'vssadmin.exe' 'delete shadows /all /quiet' $Seconds @(0, 1) }
        'hibernation' { Invoke-Tool 'powercfg.exe' '/h off' $Seconds @(0, 1) }
        'trim' { Invoke-Tool 'defrag.exe' "$env:SystemDrive /L" $Seconds @(0) }
        'zero_free' { Write-Zeros $Seconds }
        default { Stop-Operation -Kind 'invalid_input' -Message "There is no category '$Category'." }
    }
}

function Invoke-Operation {
    param($In)
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $results = @(foreach ($category in @($In.categories)) {
            $count = @{ removed = [long]0; failed = [long]0; left = (New-Object Collections.ArrayList) }
            $before = Get-FreeBytes
            $done = $true
            $detail = ''
            $left = [Math]::Max([long]$In.timeout_seconds - [long]$watch.Elapsed.TotalSeconds, 1)
            Write-Log "Cleaning: $category"
            try { Clear-Category $category $In $count $left } catch {
                if ($_.Exception.Data.Contains('reseal')) { throw }
                $done = $false
                $detail = [string]$_.Exception.Message
            }
            [ordered]@{ category = $category; done = $done; freed = [Math]::Max((Get-FreeBytes) - $before, [long]0); removed = $count.removed; failed = $count.failed; left = @($count.left.ToArray()); detail = $detail }
        })
    Send-Result ([ordered]@{ categories = $results; free_bytes = (Get-FreeBytes) })
}
