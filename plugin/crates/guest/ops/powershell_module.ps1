<#
.SYNOPSIS
Installs a Windows PowerShell module for all users.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-SharedModule {
    # The versions of a module that all users have.
    param([string]$Module)
    $root = Join-Path $env:ProgramFiles 'WindowsPowerShell\Modules'
    return @(Get-Module -ListAvailable -Name $Module | Where-Object { ([string]$_.ModuleBase).StartsWith($root, [StringComparison]::OrdinalIgnoreCase) })
}

function Install-FromArchive {
    # The zip has the module's files, or a folder that has them.
    param($In)
    Assert-Payload $In.archive
    $folder = Join-Path $In.work 'module'
    Expand-Archive -LiteralPath $In.archive.path -DestinationPath $folder -Force
    $manifest = Get-ChildItem -LiteralPath $folder -Recurse -File | Where-Object { $_.Name -eq "$($In.module).psd1" -or $_.Name -eq "$($In.module).psm1" } | Sort-Object -Property { $_.FullName.Length } | Select-Object -First 1
    if ($null -eq $manifest) { Stop-Operation -Kind 'missing_file' -Message "The archive has neither $($In.module).psd1 nor $($In.module).psm1." }
    $target = Join-Path $env:ProgramFiles ('WindowsPowerShell\Modules\{0}\{1}' -f $In.module, $In.version)
    $null = New-Item -ItemType Directory -Path $target -Force
    Copy-Item -Path (Join-Path $manifest.DirectoryName '*') -Destination $target -Recurse -Force
    Remove-Item -LiteralPath $folder -Recurse -Force
}

function Install-FromRepository {
    param($In)
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    try {
        $null = Install-PackageProvider -Name NuGet -MinimumVersion 2.8.5.201 -Force
        $arguments = @{ Name = $In.module; Repository = $In.repository; Scope = 'AllUsers'; Force = $true; AllowClobber = $true }
        if ($In.version) { $arguments['RequiredVersion'] = $In.version }
        Install-Module @arguments -Confirm:$false
    } catch {
        Stop-Operation -Kind 'network' -Message "The module could not be installed from $($In.repository): $($_.Exception.Message)" -Hint 'Give `source` with the module as a zip file for guests without the internet.'
    }
}

function Invoke-Operation {
    param($In)
    $present = @(Get-SharedModule $In.module)
    $fitting = @($present | Where-Object { -not $In.version -or [string]$_.Version -eq $In.version })
    if ($In.state -eq 'absent') {
        foreach ($module in $fitting) { Remove-Item -LiteralPath $module.ModuleBase -Recurse -Force }
        Send-Result (New-StepResult -Changed ($fitting.Count -gt 0) -Already ($fitting.Count -eq 0) -Detail "$($fitting.Count) versions removed")
        return
    }
    if ($fitting.Count -gt 0) {
        Send-Result (New-StepResult -Already $true -Detail ('{0} {1}' -f $In.module, $fitting[0].Version))
        return
    }
    if ($null -ne $In.archive) { Install-FromArchive $In } else { Install-FromRepository $In }
    $after = @(Get-SharedModule $In.module | Where-Object { -not $In.version -or [string]$_.Version -eq $In.version })
    if ($after.Count -eq 0) { Stop-Operation -Kind 'not_detected' -Message "The module $($In.module) was installed, but it is not there." }
    Send-Result (New-StepResult -Changed $true -Detail ('{0} {1}' -f $In.module, $after[0].Version))
}
