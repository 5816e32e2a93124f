<#
.SYNOPSIS
Installs an MSI package with msiexec, between two detections.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function ConvertTo-MsiProperty {
    # NAME="value", a quote inside doubled.
    param([string]$Name, [string]$Value)
    return $Name + '="' + $Value.Replace('"', '""') + '"'
}

function Get-MsiIdentity {
    # Product code and version inside the package; $null where Windows Installer cannot read it.
    param([string]$Path)
    $facts = @{}
    $held = New-Object Collections.ArrayList
    try {
        $installer = New-Object -ComObject WindowsInstaller.Installer
        $null = $held.Add($installer)
        $flags = [Reflection.BindingFlags]::InvokeMethod
        $database = $installer.GetType().InvokeMember('OpenDatabase', $flags, $null, $installer, @($Path, 0))
        $null = $held.Add($database)
        foreach ($name in 'ProductCode', 'ProductVersion') {
            $query = "SELECT ``Value`` FROM ``Property`` WHERE ``Property`` = '$name'"
            $view = $database.GetType().InvokeMember('OpenView', $flags, $null, $database, @($query))
            $null = $held.Add($view)
            $null = $view.GetType().InvokeMember('Execute', $flags, $null, $view, $null)
            $record = $view.GetType().InvokeMember('Fetch', $flags, $null, $view, $null)
            if ($null -ne $record) {
                $null = $held.Add($record)
                $facts[$name] = $record.GetType().InvokeMember('StringData', [Reflection.BindingFlags]::GetProperty, $null, $record, @(1))
            }
            $null = $view.GetType().InvokeMember('Close', $flags, $null, $view, $null)
        }
    } catch {
        Write-Log "The package's product code could not be read: $($_.Exception.Message)"
        return $null
    } finally {
        # What is held keeps the package open, also while Windows Installer is at work on it.
        $held.Reverse()
        foreach ($object in $held) { $null = [Runtime.InteropServices.Marshal]::FinalReleaseComObject($object) }
    }
    if (-not $facts.ContainsKey('ProductCode')) { return $null }
    return $facts
}

function Get-OwnDetection {
    # Without a detection from the spec the package's own product code and version decide.
    param($In)
    if ($null -ne $In.detect) { return $In.detect }
    if (-not (Test-Path -LiteralPath $In.msi.path)) { return $null }
    $identity = Get-MsiIdentity $In.msi.path
    if ($null -eq $identity) { return $null }
    return [pscustomobject]@{ kind = 'product_code'; product_code = $identity.ProductCode; version = @() }
}

function Get-MsiCommandLine {
    param($In, [string]$Log)
    $parts = New-Object Collections.Generic.List[string]
    $parts.Add('/i "' + $In.msi.path + '"')
    $parts.Add('/qn /norestart')
    $parts.Add('/l*v "' + $Log + '"')
    $transforms = @($In.transforms | ForEach-Object { $_.path })
    if ($transforms.Count -gt 0) { $parts.Add((ConvertTo-MsiProperty 'TRANSFORMS' ($transforms -join ';'))) }
    $patches = @($In.patches | ForEach-Object { $_.path })
    if ($patches.Count -gt 0) { $parts.Add((ConvertTo-MsiProperty 'PATCH' ($patches -join ';'))) }
    $features = @($In.features)
    if ($features.Count -gt 0) { $parts.Add((ConvertTo-MsiProperty 'ADDLOCAL' ($features -join ','))) }
    foreach ($property in $In.properties.PSObject.Properties) { $parts.Add((ConvertTo-MsiProperty $property.Name ([string]$property.Value))) }
    foreach ($argument in @($In.arguments)) { $parts.Add((ConvertTo-Argument $argument)) }
    return ($parts -join ' ')
}

function Get-LogReason {
    # The lines before the first action that ended with 3, which name what failed. Windows Installer writes its log in the
    # language of Windows: only the time, the action's name and the number are the same in all of them.
    param([string]$Log)
    if (-not (Test-Path -LiteralPath $Log)) { return }
    $lines = [IO.File]::ReadAllLines($Log)
    for ($i = 0; $i -lt $lines.Length; $i++) {
        if ($lines[$i] -notmatch '\d:\d\d:\d\d: \w+[.\u3002]\D*3\D*$') { continue }
        $from = [Math]::Max(0, $i - 8)
        foreach ($line in $lines[$from..$i]) { Write-Log "msi: $line" }
        return
    }
}

function Invoke-Operation {
    param($In)
    $log = Join-Path $In.work 'install.log'
    $detection = Get-OwnDetection $In
    $arguments = @{
        In          = $In
        File        = Join-Path $env:SystemRoot 'System32\msiexec.exe'
        CommandLine = Get-MsiCommandLine $In $log
        Logs        = @($log)
        Detect      = { Get-Detected $detection }
        Verify      = { foreach ($payload in @($In.msi) + @($In.transforms) + @($In.patches)) { Assert-Payload $payload } }
    }
    try {
        Invoke-Installer @arguments
    } catch {
        Get-LogReason $log
        throw
    }
}
