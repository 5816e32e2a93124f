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
    $texts = [ordered]@{
        'input.json' = ConvertTo-Json -InputObject $In.input -Compress -Depth 20
        'script.ps1' = $In.script
        'run.ps1'    = $launcher
    }
    Send-TaskFromFiles -Name $In.task -Work $In.work -Texts $texts -Old @('answer.json', 'log.txt') -Main 'run.ps1' -RunAs $In.run_as -Seconds ([long]$In.timeout_seconds)
}
