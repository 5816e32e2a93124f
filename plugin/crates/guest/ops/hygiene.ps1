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
            $Count.failed++
        }
    }
}

function Remove-Files {
    param([string[]]$Paths, [hashtable]$Count)
    foreach ($path in $Paths) {
        if (-not $path -or -not (Test-Path -LiteralPath $path)) { continue }
        try {
            Remove-Item -LiteralPath $path -Force -Recurse
            $Count.removed++
        } catch {
            $Count.failed++
        }
    }
}

function Get-ProfileFolders {
    return @(Get-CimInstance -ClassName Win32_UserProfile | Where-Object { -not $_.Special } | ForEach-Object { [string]$_.LocalPath } | Where-Object { $_ })
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
    $windows = [string]$env:SystemRoot
    $folders = @("$windows\Temp")
    foreach ($userFolder in Get-ProfileFolders) { $folders += "$userFolder\AppData\Local\Temp" }
    foreach ($folder in $folders) { Remove-Contents $folder $In.keep $Count }
}

function Clear-CrashDumps {
    param($In, [hashtable]$Count)
    $windows = [string]$env:SystemRoot
    $reports = "$env:ProgramData\Microsoft\Windows\WER"
    $folders = @("$windows\Minidump", "$windows\LiveKernelReports", "$reports\ReportQueue", "$reports\ReportArchive")
    foreach ($userFolder in Get-ProfileFolders) { $folders += "$userFolder\AppData\Local\CrashDumps" }
    foreach ($folder in $folders) { Remove-Contents $folder $In.keep $Count }
    Remove-Files @("$windows\MEMORY.DMP") $Count
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
            $Count.failed++
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
    foreach ($name in $running) { Stop-Service -Name $name -Force -ErrorAction SilentlyContinue }
    Remove-Contents $Folder @() $Count
    # A stopped update service can make sysprep's validators fail.
    foreach ($name in $running) { Start-Service -Name $name -ErrorAction SilentlyContinue }
}

function Clear-Values {
    param([string]$Key, [string[]]$Names, [hashtable]$Count)
    foreach ($name in $Names) {
        if ($null -eq (Get-RegValue $Key $name)) { continue }
        Remove-ItemProperty -LiteralPath $Key -Name $name -Force
        $Count.removed++
    }
}

function Clear-Logs {
    param($In, [hashtable]$Count)
    $windows = [string]$env:SystemRoot
    foreach ($name in 'CBS', 'DISM', 'MoSetup', 'NetSetup', 'WindowsUpdate') { Remove-Contents "$windows\Logs\$name" $In.keep $Count }
    foreach ($pattern in "$windows\Panther\*.log", "$windows\Panther\UnattendGC\*.log", "$env:ProgramFiles\Cloudbase Solutions\Cloudbase-Init\log\*.log") {
        Remove-Files @(Get-ChildItem -Path $pattern -File -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName }) $Count
    }
}

function Clear-PowerShellHistory {
    param([hashtable]$Count)
    foreach ($userFolder in Get-ProfileFolders) {
        Remove-Contents "$userFolder\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine" @() $Count
        Remove-Files @(Get-ChildItem -Path "$userFolder\Documents\PowerShell_transcript.*" -File -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName }) $Count
    }
    foreach ($log in 'Microsoft-Windows-PowerShell/Operational', 'Windows PowerShell') {
        try { [Diagnostics.Eventing.Reader.EventLogSession]::GlobalSession.ClearLog($log); $Count.removed++ } catch { $Count.failed++ }
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
    $windows = [string]$env:SystemRoot
    Remove-Contents "$windows\Panther\Unattend" @() $Count
    Remove-Files @("$windows\Panther\unattend.xml", "$windows\Panther\unattend-original.xml", "$windows\System32\Sysprep\unattend.xml", "$env:SystemDrive\unattend.xml", "$env:SystemDrive\Autounattend.xml") $Count
}

function Write-Zeros {
    # One file of zeros until a gigabyte is left, so that nothing else runs out of room.
    param([long]$Seconds)
    $path = "$env:SystemDrive\reseal-zero.bin"
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
        'winlogon' { Clear-Values 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon' @('DefaultPassword', 'AutoAdminLogon', 'AutoLogonCount', 'DefaultUserName', 'DefaultDomainName') $Count }
        'logs' { Clear-Logs $In $Count }
        'wsus_id' { Clear-Values 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate' @('SusClientId', 'SusClientIdValidation', 'AccountDomainSid', 'PingID') $Count }
        'ssh_host_keys' { Remove-Files @(Get-ChildItem -Path "$env:ProgramData\ssh\ssh_host_*" -File -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName }) $Count }
        'windows_old' { Remove-Files @("$env:SystemDrive\Windows.old", "$env:SystemDrive\`$WinREAgent", "$env:SystemDrive\`$Windows.~BT") $Count }
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
            $count = @{ removed = [long]0; failed = [long]0 }
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
            [ordered]@{ category = $category; done = $done; freed = [Math]::Max((Get-FreeBytes) - $before, [long]0); removed = $count.removed; failed = $count.failed; detail = $detail }
        })
    Send-Result ([ordered]@{ categories = $results; free_bytes = (Get-FreeBytes) })
}
