# Run: a program of the user's from start to result; the same for scripts and for commands.

function Send-Run {
    # $What begins a sentence: "The script". The file is removed afterwards where one is named.
    param(
        [Parameter(Mandatory)]$In,
        [Parameter(Mandatory)][string]$What,
        [Parameter(Mandatory)][string]$File,
        [string]$CommandLine = '',
        [byte[]]$StandardInput = @(),
        [string]$Temporary = ''
    )
    $folder = if ($In.folder) { $In.folder } else { $In.work }
    try {
        $run = Invoke-Program -File $File -CommandLine $CommandLine -Seconds ([int]$In.timeout_seconds) -Folder $folder -Environment $In.environment -StandardInput $StandardInput -Utf8 $true
    } finally {
        if ($Temporary) { Remove-Item -LiteralPath $Temporary -Force -ErrorAction SilentlyContinue }
    }
    if ($run.timed_out) { Stop-Operation -Kind 'timeout' -Message "$What did not end within $($In.timeout_seconds) seconds." }
    if (@($In.codes.success) -notcontains $run.code) {
        $said = @($run.tail | Where-Object { $_.Trim() } | Select-Object -Last 3) -join ' | '
        Stop-Operation -Kind 'exit_code' -Code $run.code -Message "$What ended with exit code $($run.code): $said"
    }
    $result = New-StepResult -Changed $true -Detail "ended after $($run.seconds) s"
    $result.exit_code = $run.code
    $result.reboot_required = @($In.codes.reboot) -contains $run.code
    Send-Result $result
}
