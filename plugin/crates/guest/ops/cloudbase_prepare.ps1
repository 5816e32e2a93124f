<#
.SYNOPSIS
Keeps Cloudbase-Init from starting before Setup has ended on a clone.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-StartLines {
    param([string]$Service)
    return @("sc.exe config $Service start= auto", "net.exe start $Service")
}

function Set-SetupComplete {
    # A file of the provider's is kept; it may do more than start the service.
    param([string]$Service, [Collections.ArrayList]$Warnings)
    $path = Join-Path $env:SystemRoot 'Setup\Scripts\SetupComplete.cmd'
    $lines = Get-StartLines $Service
    if (-not (Test-Path -LiteralPath $path)) {
        $null = New-Item -ItemType Directory -Path (Split-Path -Parent $path) -Force
        [IO.File]::WriteAllText($path, ($lines -join "`r`n") + "`r`n", (New-Object Text.ASCIIEncoding))
        return 'created'
    }
    $text = [IO.File]::ReadAllText($path)
    $name = [regex]::Escape($Service)
    $configures = $text -match "(?im)^\s*@?\s*(call\s+)?\S*sc(\.exe)?\s+config\s+`"?$name`"?\s+start=\s*(auto|delayed-auto)"
    $starts = $text -match "(?im)(net(\.exe)?|sc(\.exe)?)\s+start\s+`"?$name`"?"
    if ($configures -and $starts) { return 'kept' }
    $null = $Warnings.Add("$path did not start the service $Service; the lines were added at its end")
    [IO.File]::AppendAllText($path, "`r`n" + ($lines -join "`r`n") + "`r`n", (New-Object Text.ASCIIEncoding))
    return 'extended'
}

function Remove-State {
    # What ran for this machine must run again for the next.
    $root = 'HKLM:\SOFTWARE\Cloudbase Solutions\Cloudbase-Init'
    $keys = @(Get-ChildItem -LiteralPath $root -ErrorAction SilentlyContinue)
    foreach ($key in $keys) { Remove-Item -LiteralPath $key.PSPath -Recurse -Force }
    return $keys.Count
}

function Invoke-Operation {
    param($In)
    $warnings = New-Object Collections.ArrayList
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$($In.service)'"
    if ($null -eq $service) {
        Send-Result ([ordered]@{ present = $false; start_mode_before = $null; setup_complete = 'none'; state_removed = 0; warnings = @() })
        return
    }
    $before = [string]$service.StartMode
    # First the file, then the service: a service on demand that nothing starts gives an image without a password.
    $setupComplete = Set-SetupComplete $In.service $warnings
    Set-Service -Name $In.service -StartupType Manual
    $removed = Remove-State
    Send-Result ([ordered]@{ present = $true; start_mode_before = $before; setup_complete = $setupComplete; state_removed = $removed; warnings = @($warnings.ToArray()) })
}
