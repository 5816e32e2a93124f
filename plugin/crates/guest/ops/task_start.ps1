<#
.SYNOPSIS
Writes an operation into a folder and starts it as a scheduled task.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

# What the task runs. It stands apart from the operation's own text: it takes the output into a file, hands the input over
# and sees to it that there is an answer whatever happens.
$launcher = @'
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
if ($env:SystemRoot) { [Environment]::CurrentDirectory = $env:SystemRoot; Set-Location -LiteralPath $env:SystemRoot }
$utf8 = New-Object Text.UTF8Encoding($false)
$share = [IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete
$stream = New-Object IO.FileStream((Join-Path $here 'log.txt'), [IO.FileMode]::Create, [IO.FileAccess]::Write, $share)
$log = New-Object IO.StreamWriter($stream, $utf8)
$log.AutoFlush = $true
[Console]::SetOut($log)
[Console]::SetError($log)
$global:ResealAnswerFile = Join-Path $here 'answer.json'
$kind = 'no_result'
$message = 'The operation ended without an answer.'
try {
    $text = [IO.File]::ReadAllText((Join-Path $here 'script.ps1'))
    $inputFile = Join-Path $here 'input.json'
    $operationInput = [IO.File]::ReadAllText($inputFile)
    Remove-Item -LiteralPath $inputFile -Force
    & ([scriptblock]::Create($text)) $operationInput | Out-String -Stream | ForEach-Object { $log.WriteLine($_) }
} catch {
    $kind = 'exception'
    $message = $_.Exception.Message
    $log.WriteLine(($_ | Out-String))
}
if (-not (Test-Path -LiteralPath $global:ResealAnswerFile)) {
    $answer = @{ ok = $false; error = @{ kind = $kind; message = $message } }
    [IO.File]::WriteAllText($global:ResealAnswerFile, (ConvertTo-Json -InputObject $answer -Compress -Depth 4), $utf8)
}
exit 0
'@

function Invoke-Operation {
    param($In)
    $folder = Get-TaskFolder
    if ($null -ne (Get-OwnTask $folder $In.task)) {
        Send-Result ([ordered]@{ started = $false })
        return
    }
    New-PrivateFolder $In.work
    foreach ($old in 'answer.json', 'log.txt') { Remove-Item -LiteralPath (Join-Path $In.work $old) -Force -ErrorAction SilentlyContinue }
    $utf8 = New-Object Text.UTF8Encoding($false)
    $file = Join-Path $In.work 'run.ps1'
    [IO.File]::WriteAllText((Join-Path $In.work 'input.json'), (ConvertTo-Json -InputObject $In.input -Compress -Depth 20), $utf8)
    [IO.File]::WriteAllText((Join-Path $In.work 'script.ps1'), [string]$In.script, $utf8)
    [IO.File]::WriteAllText($file, $launcher, $utf8)
    Start-OwnTask -Name $In.task -File $file -RunAs $In.run_as -Seconds ([long]$In.timeout_seconds)
    Send-Result ([ordered]@{ started = $true })
}
