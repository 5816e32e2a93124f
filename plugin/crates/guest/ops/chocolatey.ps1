<#
.SYNOPSIS
Installs a Chocolatey package.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-ChocoPath {
    $found = Get-Command -Name choco.exe -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($null -ne $found) { return $found.Source }
    $usual = Join-Path $env:ProgramData 'chocolatey\bin\choco.exe'
    if (Test-Path -LiteralPath $usual) { return $usual }
    return $null
}

function Install-Choco {
    # Unpacks the package and runs its own installer script.
    param($In)
    Assert-Payload $In.bootstrap
    $folder = Join-Path $In.work 'chocolatey'
    $zip = Join-Path $In.work 'chocolatey.zip'
    Copy-Item -LiteralPath $In.bootstrap.path -Destination $zip -Force
    Expand-Archive -LiteralPath $zip -DestinationPath $folder -Force
    $null = & (Join-Path $folder 'tools\chocolateyInstall.ps1')
    $choco = Get-ChocoPath
    if ($null -eq $choco) { Stop-Operation -Kind 'not_detected' -Message 'Chocolatey was installed, but choco.exe is not there.' }
    return $choco
}

function Get-PackageVersion {
    # From the package's own file, because the list command is slow.
    param([string]$Choco, [string]$Package)
    $file = Join-Path (Split-Path -Parent (Split-Path -Parent $Choco)) "lib\$Package\$Package.nuspec"
    if (-not (Test-Path -LiteralPath $file)) { return $null }
    $match = [regex]::Match([IO.File]::ReadAllText($file), '<version>\s*([^<\s]+)\s*</version>')
    if ($match.Success) { return $match.Groups[1].Value }
    return $null
}

function Get-ChocoDetection {
    param([string]$Choco, $In)
    $version = Get-PackageVersion $Choco $In.package
    $present = $null -ne $version -and (-not $In.version -or $version -eq $In.version)
    $shown = if ($null -ne $version) { $version } else { 'is not there' }
    return [ordered]@{ present = $present; version = $version; detail = "$($In.package) $shown" }
}

function Invoke-Operation {
    param($In)
    $choco = Get-ChocoPath
    if ($null -eq $choco) {
        if ($null -eq $In.bootstrap) {
            Stop-Operation -Kind 'unsupported' -Message 'Chocolatey is not in the guest.' -Hint 'Give `bootstrap` with chocolatey.nupkg.'
        }
        $choco = Install-Choco $In
    }
    $list = @('install', $In.package, '-y', '--no-progress', '--limit-output')
    if ($In.version) { $list += @('--version', $In.version) }
    if ($In.feed) { $list += @('--source', $In.feed) }
    $list += @($In.arguments)
    $arguments = @{
        In          = $In
        File        = $choco
        CommandLine = Join-Arguments $list
        Logs        = @((Join-Path $env:ProgramData 'chocolatey\logs\chocolatey.log'))
        Detect      = { Get-ChocoDetection $choco $In }
    }
    Invoke-Installer @arguments
}
