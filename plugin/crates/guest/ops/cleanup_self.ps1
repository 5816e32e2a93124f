<#
.SYNOPSIS
Removes our tasks and folders.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    if (-not ([string]$In.task_prefix).StartsWith('reseal-')) { Stop-Operation -Kind 'invalid_input' -Message 'The prefix of our tasks begins with reseal-.' }
    $folder = Get-TaskFolder
    $names = @($folder.GetTasks(1) | ForEach-Object { [string]$_.Name } | Where-Object { $_.StartsWith([string]$In.task_prefix) })
    $left = New-Object Collections.ArrayList
    $tasks = @(foreach ($name in $names) {
            try {
                $null = Remove-OwnTask $folder $name
                $name
            } catch {
                $null = $left.Add("task $name")
            }
        })
    $folders = @(foreach ($path in @($In.work)) {
            if (-not (Test-Path -LiteralPath $path)) { continue }
            Remove-Item -LiteralPath $path -Recurse -Force -ErrorAction SilentlyContinue
            if (Test-Path -LiteralPath $path) { $null = $left.Add($path) } else { $path }
        })
    Send-Result ([ordered]@{ tasks = $tasks; folders = $folders; left = @($left.ToArray()) })
}
