# Places: where Windows and a build leave what should not be in an image. Looking and cleaning use the same list.

function Get-ProfileFolders {
    return , @(Get-CimInstance -ClassName Win32_UserProfile | Where-Object { -not $_.Special } | ForEach-Object { [string]$_.LocalPath } | Where-Object { $_ })
}

function Find-Files {
    # Full paths of the files that fit one of the patterns.
    param([string[]]$Patterns)
    return , @(foreach ($pattern in $Patterns) { Get-ChildItem -Path $pattern -File -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName } })
}

function Find-Values {
    # Those of the names that the key has.
    param([string]$Key, [string[]]$Names)
    return , @($Names | Where-Object { $null -ne (Get-RegValue $Key $_) })
}

function Get-TempFolders {
    $folders = @("$env:SystemRoot\Temp")
    foreach ($userFolder in (Get-ProfileFolders)) { $folders += "$userFolder\AppData\Local\Temp" }
    return , $folders
}

function Get-CrashFolders {
    # Dumps of Windows and of programs, and the reports about them.
    $reports = "$env:ProgramData\Microsoft\Windows\WER"
    $folders = @("$env:SystemRoot\Minidump", "$env:SystemRoot\LiveKernelReports", "$reports\ReportQueue", "$reports\ReportArchive")
    foreach ($userFolder in (Get-ProfileFolders)) { $folders += "$userFolder\AppData\Local\CrashDumps" }
    return , $folders
}

function Find-CrashDumps {
    return Find-Files (@("$env:SystemRoot\MEMORY.DMP", "$env:SystemRoot\Minidump\*") + @(Get-ProfileFolders | ForEach-Object { $_ } | ForEach-Object { "$_\AppData\Local\CrashDumps\*" }))
}

function Find-Histories {
    # Every line that somebody typed, of each profile.
    return Find-Files @(Get-ProfileFolders | ForEach-Object { $_ } | ForEach-Object { "$_\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine\*" })
}

function Find-Transcripts {
    # Beside the documents of each profile, in its daily folders, and where the policy puts them.
    $patterns = @(Get-ProfileFolders | ForEach-Object { $_ } | ForEach-Object { "$_\Documents\PowerShell_transcript.*"; "$_\Documents\*\PowerShell_transcript.*" })
    $policy = [string](Get-RegValue 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\PowerShell\Transcription' 'OutputDirectory')
    if ($policy) { $patterns += @("$policy\PowerShell_transcript.*", "$policy\*\PowerShell_transcript.*") }
    return Find-Files $patterns
}

function Find-SshHostKeys {
    return Find-Files @("$env:ProgramData\ssh\ssh_host_*")
}

function Get-LogFolders {
    return , @('CBS', 'DISM', 'MoSetup', 'NetSetup', 'WindowsUpdate' | ForEach-Object { "$env:SystemRoot\Logs\$_" })
}

function Find-SetupLogs {
    return Find-Files @("$env:SystemRoot\Panther\*.log", "$env:SystemRoot\Panther\UnattendGC\*.log", "$env:ProgramFiles\Cloudbase Solutions\Cloudbase-Init\log\*.log")
}

function Find-UpgradeFolders {
    return , @("$env:SystemDrive\Windows.old", "$env:SystemDrive\`$WinREAgent", "$env:SystemDrive\`$Windows.~BT" | Where-Object { Test-Path -LiteralPath $_ })
}

function Find-WinlogonValues {
    return Find-Values 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon' @('DefaultPassword', 'AutoAdminLogon', 'AutoLogonCount', 'DefaultUserName', 'DefaultDomainName')
}

function Find-WsusValues {
    return Find-Values 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate' @('SusClientId', 'SusClientIdValidation', 'AccountDomainSid', 'PingID')
}
