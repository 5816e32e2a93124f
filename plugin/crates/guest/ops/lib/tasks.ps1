# Tasks: scheduled tasks of our own, through the task scheduler's COM interface.

function Get-TaskFolder {
    $service = New-Object -ComObject Schedule.Service
    $service.Connect()
    return $service.GetFolder('\')
}

function Get-OwnTask {
    # The task, or $null.
    param([Parameter(Mandatory)]$Folder, [Parameter(Mandatory)][string]$Name)
    try { return $Folder.GetTask($Name) } catch { return $null }
}

function New-PrivateFolder {
    # A folder that only administrators and the system can read.
    param([Parameter(Mandatory)][string]$Path)
    $null = New-Item -ItemType Directory -Path $Path -Force
    $icacls = Get-Command -Name icacls.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($null -eq $icacls) {
        Write-Log "There is no icacls.exe; $Path keeps its access rights."
        return
    }
    $null = & $icacls.Source $Path '/inheritance:r' '/grant:r' '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' '/q'
    if ($LASTEXITCODE -ne 0) { Stop-Operation -Kind 'access_denied' -Code (ConvertTo-Code $LASTEXITCODE) -Message "The access rights of $Path could not be set." }
}

function Start-OwnTask {
    # Registers and starts a task that runs a PowerShell file.
    param([string]$Name, [string]$File, [string]$RunAs, [long]$Seconds)
    $service = New-Object -ComObject Schedule.Service
    $service.Connect()
    $task = $service.NewTask(0)
    $task.RegistrationInfo.Description = 'Image build step; removed when it has ended'
    $user = [Security.Principal.WindowsIdentity]::GetCurrent().Name
    $logon = 2
    if ($RunAs -eq 'system') {
        $user = 'S-1-5-18'
        $logon = 5
    }
    $task.Principal.UserId = $user
    $task.Principal.LogonType = $logon
    $task.Principal.RunLevel = 1
    $task.Settings.Enabled = $true
    $task.Settings.AllowDemandStart = $true
    $task.Settings.DisallowStartIfOnBatteries = $false
    $task.Settings.StopIfGoingOnBatteries = $false
    $task.Settings.AllowHardTerminate = $true
    $task.Settings.ExecutionTimeLimit = if ($Seconds -gt 0) { "PT${Seconds}S" } else { 'PT0S' }
    $task.Settings.MultipleInstances = 2
    $task.Settings.Priority = 4
    # No working directory: a folder that a process stands in cannot be deleted.
    $action = $task.Actions.Create(0)
    $action.Path = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
    $action.Arguments = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "' + $File + '"'
    $folder = $service.GetFolder('\')
    try {
        $null = $folder.RegisterTaskDefinition($Name, $task, 6, $user, $null, $logon)
        $null = $folder.GetTask($Name).Run($null)
    } catch {
        $hint = 'The account needs the right to log on as a batch job; administrators have it.'
        Stop-Operation -Kind 'task_denied' -Message "The task $Name could not be started: $($_.Exception.Message)" -Hint $hint -HResult (Get-ErrorCode $_.Exception)
    }
}

function Send-TaskFromFiles {
    # Writes texts into a folder of their own and starts one of them as a task; answers whether it was started now. A
    # task that is there already is left alone: the builder may have come back to it.
    param([string]$Name, [string]$Work, [Collections.IDictionary]$Texts, [string[]]$Old, [string]$Main, [string]$RunAs, [long]$Seconds)
    if ($null -ne (Get-OwnTask (Get-TaskFolder) $Name)) {
        Send-Result ([ordered]@{ started = $false })
        return
    }
    New-PrivateFolder $Work
    foreach ($file in $Old) { Remove-Item -LiteralPath (Join-Path $Work $file) -Force -ErrorAction SilentlyContinue }
    $utf8 = New-Object Text.UTF8Encoding($false)
    foreach ($file in $Texts.Keys) { [IO.File]::WriteAllText((Join-Path $Work $file), [string]$Texts[$file], $utf8) }
    Start-OwnTask -Name $Name -File (Join-Path $Work $Main) -RunAs $RunAs -Seconds $Seconds
    Send-Result ([ordered]@{ started = $true })
}

function Remove-OwnTask {
    # Ends and deletes a task; true when it was there.
    param([Parameter(Mandatory)]$Folder, [Parameter(Mandatory)][string]$Name)
    $task = Get-OwnTask $Folder $Name
    if ($null -eq $task) { return $false }
    try { $null = $task.Stop(0) } catch { $null = $_ }
    $null = $Folder.DeleteTask($Name, 0)
    return $true
}

function Read-Tail {
    # The text of a file from a byte offset on, cut at the last whole line while more is coming.
    param([Parameter(Mandatory)][string]$Path, [long]$Offset, [int]$Limit = 262144, [bool]$Whole = $false)
    $nothing = [ordered]@{ offset = $Offset; text = '' }
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return $nothing }
    $share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
    $stream = New-Object IO.FileStream($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, $share)
    try {
        if ($stream.Length -lt $Offset) { $Offset = 0 } # the file was begun anew
        $count = [int][Math]::Min([long]$Limit, $stream.Length - $Offset)
        if ($count -le 0) { return [ordered]@{ offset = $Offset; text = '' } }
        $bytes = New-Object byte[] $count
        $null = $stream.Seek($Offset, [IO.SeekOrigin]::Begin)
        $read = $stream.Read($bytes, 0, $count)
    } finally {
        $stream.Dispose()
    }
    # Half a line stays for the next look, unless nothing more will come or the line is longer than the limit.
    $end = $read
    if (-not $Whole -or $read -ge $Limit) {
        $end = [Array]::LastIndexOf($bytes, [byte]10, $read - 1, $read) + 1
        if ($end -eq 0 -and $read -ge $Limit) { $end = $read }
    }
    return [ordered]@{ offset = $Offset + $end; text = [Text.Encoding]::UTF8.GetString($bytes, 0, $end) }
}
