<#
.SYNOPSIS
Reads what Cloudbase-Init will do on a clone and, where that is wanted, makes it start after Setup only.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

# What decides the first boot. The files may hold keys of metadata services, so nothing else leaves the guest.
$settings = 'plugins', 'metadata_services', 'username', 'inject_user_password', 'first_logon_behaviour', 'rename_admin_user', 'activate_windows', 'set_kms_product_key', 'kms_host', 'set_avma_product_key', 'volumes_to_extend', 'netbios_host_name_compatibility', 'allow_reboot', 'stop_service_on_exit'

function Read-Configuration {
    # The settings of an INI file's section DEFAULT, by name; a value goes on in lines that begin with a blank.
    param([string]$Path)
    $values = [ordered]@{}
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return [ordered]@{ path = $Path; found = $false; values = $values } }
    $section = 'DEFAULT'
    $name = ''
    foreach ($line in [IO.File]::ReadAllLines($Path)) {
        if ($line -match '^\s*([#;]|$)') { continue }
        if ($line -match '^\s*\[(.+)\]\s*$') { $section = $Matches[1]; $name = ''; continue }
        if ($section -ne 'DEFAULT') { continue }
        if ($line -match '^\s+(\S.*)$' -and $name) {
            if ($values.Contains($name)) { $values[$name] += $Matches[1].Trim() }
        } elseif ($line -match '^\s*([^=:\s]+)\s*[=:]\s*(.*)$') {
            $name = $Matches[1].ToLowerInvariant()
            if ($settings -contains $name) { $values[$name] = $Matches[2].Trim() }
        }
    }
    return [ordered]@{ path = $Path; found = $true; values = $values }
}

function Set-Configuration {
    # Sets values of the section DEFAULT; everything else stays as it is. Answers the names that were changed.
    param([string]$Path, $Wanted)
    $changed = @()
    $names = @($Wanted.PSObject.Properties | ForEach-Object { $_.Name })
    if ($names.Count -eq 0) { return , $changed }
    $lines = New-Object Collections.Generic.List[string]
    if (Test-Path -LiteralPath $Path -PathType Leaf) { $lines.AddRange([string[]][IO.File]::ReadAllLines($Path)) }
    foreach ($name in $names) {
        if (Set-Line $lines $name ([string]$Wanted.$name)) { $changed += $name }
    }
    if ($changed.Count -gt 0) {
        $null = New-Item -ItemType Directory -Path (Split-Path -Parent $Path) -Force
        [IO.File]::WriteAllText($Path, ($lines -join "`r`n") + "`r`n", (New-Object Text.UTF8Encoding($false)))
    }
    return , $changed
}

function Set-Line {
    # One value in the lines of a file. Says whether something changed.
    param([Collections.Generic.List[string]]$Lines, [string]$Name, [string]$Value)
    $wanted = "$Name=$Value"
    $section = 'DEFAULT'
    $head = -1
    for ($index = 0; $index -lt $Lines.Count; $index++) {
        $line = $Lines[$index]
        if ($line -match '^\s*\[(.+)\]\s*$') {
            $section = $Matches[1]
            if ($section -eq 'DEFAULT') { $head = $index }
        } elseif ($section -eq 'DEFAULT' -and $line -match ('(?i)^' + [regex]::Escape($Name) + '\s*[=:]')) {
            $rest = $index + 1
            while ($rest -lt $Lines.Count -and $Lines[$rest] -match '^\s+\S') { $Lines.RemoveAt($rest) }
            if ($line -ceq $wanted) { return $false }
            $Lines[$index] = $wanted
            return $true
        }
    }
    if ($head -lt 0) { $Lines.Insert(0, '[DEFAULT]'); $head = 0 }
    $Lines.Insert($head + 1, $wanted)
    return $true
}

function Get-SetupCompletePath {
    return Join-Path $env:SystemRoot 'Setup\Scripts\SetupComplete.cmd'
}

function Test-SetupComplete {
    # Whether SetupComplete.cmd puts the service back and starts it.
    param([string]$Service)
    $path = Get-SetupCompletePath
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) { return $false }
    $text = [IO.File]::ReadAllText($path)
    $name = [regex]::Escape($Service)
    $configures = $text -match "(?im)^\s*@?\s*(call\s+)?\S*sc(\.exe)?\s+config\s+`"?$name`"?\s+start=\s*(auto|delayed-auto)"
    $starts = $text -match "(?im)(net(\.exe)?|sc(\.exe)?)\s+start\s+`"?$name`"?"
    return $configures -and $starts
}

function Set-SetupComplete {
    # A file of the provider's is kept; it may do more than start the service.
    param([string]$Service, [Collections.ArrayList]$Warnings)
    if (Test-SetupComplete $Service) { return 'kept' }
    $path = Get-SetupCompletePath
    $lines = "sc.exe config $Service start= auto", "net.exe start $Service"
    if (-not (Test-Path -LiteralPath $path)) {
        $null = New-Item -ItemType Directory -Path (Split-Path -Parent $path) -Force
        [IO.File]::WriteAllText($path, ($lines -join "`r`n") + "`r`n", (New-Object Text.ASCIIEncoding))
        return 'created'
    }
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

function Get-Behind {
    # What lies behind C: on its disk and keeps it from growing.
    $system = Get-Partition -DriveLetter C
    $later = @(Get-Partition -DiskNumber $system.DiskNumber | Where-Object { $_.Offset -gt $system.Offset })
    return , @($later | ForEach-Object { [ordered]@{ type = [string]$_.Type; bytes = [long]$_.Size } })
}

function Get-ServiceMode {
    param([string]$Name)
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Name'"
    if ($null -eq $service) { return $null }
    return [string]$service.StartMode
}

function Invoke-Operation {
    param($In)
    $warnings = New-Object Collections.ArrayList
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$($In.service)'"
    $present = $null -ne $service
    $folder = Get-CloudbaseFolder $service
    $result = [ordered]@{
        present           = $present
        start_mode_before = if ($present) { [string]$service.StartMode } else { $null }
        setup_complete    = 'none'
        state_removed     = 0
        set               = @()
    }
    if ($present -and $In.change) {
        $result['set'] = Set-Configuration (Join-Path $folder 'conf\cloudbase-init.conf') $In.set
        # First the file, then the service: a service on demand that nothing starts gives an image without a password.
        $result['setup_complete'] = Set-SetupComplete $In.service $warnings
        Set-Service -Name $In.service -StartupType Manual
        $result['state_removed'] = Remove-State
    }
    $result['start_mode'] = Get-ServiceMode $In.service
    $result['starts_after_setup'] = Test-SetupComplete $In.service
    $result['config'] = Read-Configuration (Join-Path $folder 'conf\cloudbase-init.conf')
    $result['unattend_config'] = Read-Configuration (Join-Path $folder 'conf\cloudbase-init-unattend.conf')
    $result['behind'] = $null
    try { $result['behind'] = Get-Behind } catch { $null = $warnings.Add("the partitions cannot be read: $($_.Exception.Message)") }
    $result['license'] = Get-Safe { Get-License }
    $result['warnings'] = @($warnings.ToArray())
    Send-Result $result
}
