<#
.SYNOPSIS
Runs a script of the user in a Windows PowerShell of its own.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

# The launcher is the same for every script, so that neither the script nor its values stand on a command line: it reads
# one JSON document from standard input.
$launcher = @'
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = New-Object Text.UTF8Encoding($false)
$stream = [Console]::OpenStandardInput()
$reader = New-Object IO.StreamReader($stream, (New-Object Text.UTF8Encoding($false)))
$job = ConvertFrom-Json -InputObject $reader.ReadToEnd()
$named = @{}
foreach ($argument in $job.arguments.PSObject.Properties) { $named[$argument.Name] = $argument.Value }
$global:LASTEXITCODE = 0
try {
    & $job.file @named | Out-String -Stream -Width 4096 | ForEach-Object { [Console]::Out.WriteLine($_) }
} catch {
    [Console]::Error.WriteLine(($_ | Out-String).TrimEnd())
    exit 1
}
exit $global:LASTEXITCODE
'@

function Get-ScriptFile {
    # The user's file, or the inline text as one, with the mark that Windows PowerShell needs for other letters than ASCII.
    param($In)
    if ($null -ne $In.file) {
        Assert-Payload $In.file
        return $In.file.path
    }
    $path = Join-Path $In.work 'inline.ps1'
    [IO.File]::WriteAllText($path, [string]$In.inline, (New-Object Text.UTF8Encoding($true)))
    return $path
}

function Get-PowerShellPath {
    if ($env:SystemRoot) {
        $usual = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
        if (Test-Path -LiteralPath $usual) { return $usual }
    }
    return (Get-Process -Id $PID).Path
}

function Invoke-Operation {
    param($In)
    $file = Get-ScriptFile $In
    $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($launcher))
    $job = ConvertTo-Json -InputObject ([ordered]@{ file = [string]$file; arguments = $In.arguments }) -Compress -Depth 20
    $arguments = @{
        In            = $In
        What          = 'The script'
        File          = Get-PowerShellPath
        CommandLine   = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -InputFormat None -OutputFormat Text -EncodedCommand ' + $encoded
        StandardInput = [Text.Encoding]::UTF8.GetBytes($job)
        Temporary     = if ($null -eq $In.file) { $file } else { '' }
    }
    Send-Run @arguments
}
