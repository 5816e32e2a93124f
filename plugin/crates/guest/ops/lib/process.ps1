# Process: runs a program with a deadline, passes its output on line by line, and ends its whole tree when it is late.

function ConvertTo-Argument {
    # Quotes one argument as programs in C take it apart again.
    param([AllowEmptyString()][string]$Text)
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    $escaped = [regex]::Replace($Text, '(\\*)"', '$1$1\"')
    $escaped = [regex]::Replace($escaped, '(\\+)$', '$1$1')
    return '"' + $escaped + '"'
}

function Join-Arguments {
    param([string[]]$Arguments = @())
    return (@($Arguments | ForEach-Object { ConvertTo-Argument $_ }) -join ' ')
}

function Stop-Tree {
    param([Parameter(Mandatory)][Diagnostics.Process]$Process)
    $killer = Get-Command -Name taskkill.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($null -ne $killer) {
        $info = New-Object Diagnostics.ProcessStartInfo($killer.Source, "/T /F /PID $($Process.Id)")
        $info.UseShellExecute = $false
        $info.CreateNoWindow = $true
        $helper = [Diagnostics.Process]::Start($info)
        $null = $helper.WaitForExit(30000)
    }
    if (-not $Process.HasExited) {
        try { $Process.Kill() } catch { Write-Log "The process $($Process.Id) could not be ended: $($_.Exception.Message)" }
    }
}

function Read-Lines {
    # Takes what a stream has ready and gives the pending read back; $null at the end of the stream. At most so many lines
    # at once, because a program may write faster than this reads, and its deadline must be looked at.
    param($Reader, $Pending, [Collections.Generic.List[string]]$Tail, [int]$Most = 500)
    for ($count = 0; $count -lt $Most -and $null -ne $Pending -and $Pending.IsCompleted; $count++) {
        $line = $Pending.Result
        if ($null -eq $line) { return $null }
        Write-Log $line
        $Tail.Add($line)
        if ($Tail.Count -gt 40) { $Tail.RemoveAt(0) }
        $Pending = $Reader.ReadLineAsync()
    }
    return $Pending
}

function Test-Ready {
    # Whether there is something to read now.
    param($Output, $Errors)
    return ($null -ne $Output -and $Output.IsCompleted) -or ($null -ne $Errors -and $Errors.IsCompleted)
}

function Close-Written {
    # Ends a program's input once all of it is written, or the program does not want it; $null from then on.
    param([Diagnostics.Process]$Process, $Writing)
    if ($null -eq $Writing -or -not $Writing.IsCompleted) { return $Writing }
    try { $Process.StandardInput.Close() } catch { Write-Log "The program did not read its input: $($_.Exception.InnerException.Message)" }
    return $null
}

function Start-Program {
    param([string]$File, [string]$CommandLine, [string]$Folder, $Environment, [bool]$Utf8)
    $info = New-Object Diagnostics.ProcessStartInfo($File, $CommandLine)
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardOutput = $true
    $info.RedirectStandardError = $true
    $info.RedirectStandardInput = $true
    if ($Utf8) {
        $info.StandardOutputEncoding = New-Object Text.UTF8Encoding($false)
        $info.StandardErrorEncoding = New-Object Text.UTF8Encoding($false)
    }
    if ($Folder) { $info.WorkingDirectory = $Folder }
    if ($null -ne $Environment) {
        foreach ($variable in $Environment.PSObject.Properties) { $info.EnvironmentVariables[$variable.Name] = [string]$variable.Value }
    }
    try {
        $process = [Diagnostics.Process]::Start($info)
        $null = $process.Handle
        return $process
    } catch {
        Stop-Operation -Kind 'start_failed' -Message "$File could not be started: $($_.Exception.InnerException.Message)" -HResult (Get-ErrorCode $_.Exception)
    }
}

function Invoke-Program {
    # Answers @{ code; timed_out; tail; seconds }. The code is unsigned.
    param(
        [Parameter(Mandatory)][string]$File,
        [string]$CommandLine = '',
        [Parameter(Mandatory)][int]$Seconds,
        [string]$Folder = '',
        $Environment = $null,
        [byte[]]$StandardInput = @(),
        [bool]$Utf8 = $false
    )
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $process = Start-Program -File $File -CommandLine $CommandLine -Folder $Folder -Environment $Environment -Utf8 $Utf8
    $tail = New-Object Collections.Generic.List[string]
    # A program that does not read must not hold this up, so the writing goes on beside the reading.
    $writing = $process.StandardInput.BaseStream.WriteAsync($StandardInput, 0, $StandardInput.Length)
    $output = $process.StandardOutput.ReadLineAsync()
    $errors = $process.StandardError.ReadLineAsync()
    $timedOut = $false
    while (-not $process.WaitForExit($(if (Test-Ready $output $errors) { 0 } else { 50 }))) {
        $writing = Close-Written $process $writing
        $output = Read-Lines $process.StandardOutput $output $tail
        $errors = Read-Lines $process.StandardError $errors $tail
        if ($watch.Elapsed.TotalSeconds -ge $Seconds) {
            $timedOut = $true
            Stop-Tree $process
            $null = $process.WaitForExit(15000)
            break
        }
    }
    # A child that lives on may hold the pipes open, so the rest is read for two seconds at the most.
    $rest = [Diagnostics.Stopwatch]::StartNew()
    while (($null -ne $output -or $null -ne $errors) -and $rest.ElapsedMilliseconds -lt 2000) {
        $output = Read-Lines $process.StandardOutput $output $tail
        $errors = Read-Lines $process.StandardError $errors $tail
        if (-not (Test-Ready $output $errors)) { Start-Sleep -Milliseconds 10 }
    }
    $code = if ($timedOut) { $null } else { ConvertTo-Code $process.ExitCode }
    return @{ code = $code; timed_out = $timedOut; tail = @($tail.ToArray()); seconds = [int]$watch.Elapsed.TotalSeconds }
}
