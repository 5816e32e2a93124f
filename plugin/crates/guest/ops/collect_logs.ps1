<#
.SYNOPSIS
Lists the logs that are worth bringing home.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Invoke-Operation {
    param($In)
    $windows = [string]$env:SystemRoot
    $places = @(
        @{ kind = 'sysprep'; path = "$windows\System32\Sysprep\Panther\*.log" },
        @{ kind = 'sysprep'; path = "$windows\System32\Sysprep\Panther\IE\*.log" },
        @{ kind = 'setup'; path = "$windows\Panther\setup*.log" },
        @{ kind = 'setup'; path = "$windows\Panther\UnattendGC\*.log" },
        @{ kind = 'cbs'; path = "$windows\Logs\CBS\CBS.log" },
        @{ kind = 'dism'; path = "$windows\Logs\DISM\dism.log" },
        @{ kind = 'cloudbase'; path = "$env:ProgramFiles\Cloudbase Solutions\Cloudbase-Init\log\*.log" },
        @{ kind = 'installer'; path = "$env:ProgramData\chocolatey\logs\chocolatey.log" }
    )
    foreach ($extra in @($In.extra)) { $places += @{ kind = 'other'; path = [string]$extra } }
    $seen = @{}
    $files = @(foreach ($place in $places) {
            foreach ($file in @(Get-ChildItem -Path $place.path -File -Force -ErrorAction SilentlyContinue)) {
                if ($seen.ContainsKey($file.FullName)) { continue }
                $seen[$file.FullName] = $true
                [ordered]@{ path = $file.FullName; size = [long]$file.Length; modified_utc = (Get-UtcText $file.LastWriteTimeUtc); kind = $place.kind }
            }
        })
    Send-Result ([ordered]@{ files = $files })
}
