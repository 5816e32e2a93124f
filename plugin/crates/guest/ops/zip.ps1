<#
.SYNOPSIS
Packs a folder into a zip file.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $from = [Environment]::ExpandEnvironmentVariables($In.from)
    $to = [Environment]::ExpandEnvironmentVariables($In.to)
    if (-not (Test-Path -LiteralPath $from -PathType Container)) { Stop-Operation -Kind 'missing_file' -Message "The folder $from is not there." }
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    $parent = Split-Path -Parent $to
    if ($parent) { $null = New-Item -ItemType Directory -Path $parent -Force }
    $new = $to + '.reseal-new'
    if (Test-Path -LiteralPath $new) { Remove-Item -LiteralPath $new -Force }
    [IO.Compression.ZipFile]::CreateFromDirectory($from, $new)
    Move-Item -LiteralPath $new -Destination $to -Force
    Send-Result (New-StepResult -Changed $true -Detail ('{0}, {1} bytes' -f $to, (Get-Item -LiteralPath $to).Length))
}
