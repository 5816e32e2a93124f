# Detect: is the thing there, in a version that fits?

function Get-VersionNumbers {
    # The first four numbers of a version as programs write it; $null where there is none.
    param([string]$Text)
    $numbers = @([regex]::Matches($Text, '\d+') | Select-Object -First 4 | ForEach-Object { [long]$_.Value })
    if ($numbers.Count -eq 0) { return $null }
    while ($numbers.Count -lt 4) { $numbers += [long]0 }
    return , $numbers
}

function Compare-Version {
    # -1, 0 or 1; $null where one of them has no number.
    param([string]$Left, [string]$Right)
    $a = Get-VersionNumbers $Left
    $b = Get-VersionNumbers $Right
    if ($null -eq $a -or $null -eq $b) { return $null }
    for ($i = 0; $i -lt 4; $i++) {
        if ($a[$i] -lt $b[$i]) { return -1 }
        if ($a[$i] -gt $b[$i]) { return 1 }
    }
    return 0
}

function Test-Version {
    # Whether a version fulfils all conditions; no conditions are always fulfilled.
    param([string]$Version, $Conditions)
    foreach ($condition in @($Conditions)) {
        if ($null -eq $condition) { continue }
        $order = Compare-Version $Version $condition.version
        if ($null -eq $order) { return $false }
        $good = switch ($condition.op) {
            '>=' { $order -ge 0 }
            '>' { $order -gt 0 }
            '<=' { $order -le 0 }
            '<' { $order -lt 0 }
            default { $order -eq 0 }
        }
        if (-not $good) { return $false }
    }
    return $true
}

function New-Detected {
    param([bool]$Present, $Version, [string]$Detail)
    return [ordered]@{ present = $Present; version = $Version; detail = $Detail }
}

function Find-Best {
    # Of several found versions one that fits, else the first.
    param([object[]]$Found, $Conditions, [string]$What)
    foreach ($item in $Found) {
        if (Test-Version $item.version $Conditions) {
            return New-Detected $true $item.version ("{0} {1}" -f $item.name, $item.version).Trim()
        }
    }
    if ($Found.Count -gt 0) {
        $first = $Found[0]
        return New-Detected $false $first.version ("{0} {1} does not fit" -f $first.name, $first.version)
    }
    return New-Detected $false $null ("{0} is not there" -f $What)
}

function Get-UninstallEntries {
    # Everything in "Programs and Features" that has a name.
    $roots = @(
        'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall',
        'HKLM:\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall',
        'HKCU:\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'
    )
    foreach ($root in $roots) {
        foreach ($key in @(Get-ChildItem -LiteralPath $root -ErrorAction SilentlyContinue)) {
            $name = [string]$key.GetValue('DisplayName', '')
            if ($name -eq '') { continue }
            [pscustomobject]@{ id = $key.PSChildName; name = $name; version = [string]$key.GetValue('DisplayVersion', '') }
        }
    }
}

function Get-DetectedProduct {
    param($Detect)
    $pattern = $Detect.product
    $found = @(Get-UninstallEntries | Where-Object { $_.name -like $pattern })
    return Find-Best $found $Detect.version $pattern
}

function Get-DetectedProductCode {
    param($Detect)
    $code = $Detect.product_code
    $found = @(Get-UninstallEntries | Where-Object { $_.id -eq $code })
    return Find-Best $found $Detect.version $code
}

function Get-DetectedFile {
    param($Detect)
    $path = [Environment]::ExpandEnvironmentVariables($Detect.file)
    $item = Get-Item -LiteralPath $path -Force -ErrorAction SilentlyContinue
    if ($null -eq $item) { return New-Detected $false $null "$path is not there" }
    $version = $null
    if ($item -is [IO.FileInfo]) {
        $info = $item.VersionInfo
        if ($null -ne $info -and ($info.FileMajorPart + $info.FileMinorPart + $info.FileBuildPart + $info.FilePrivatePart) -gt 0) {
            $version = '{0}.{1}.{2}.{3}' -f $info.FileMajorPart, $info.FileMinorPart, $info.FileBuildPart, $info.FilePrivatePart
        }
    }
    return Find-Best @([pscustomobject]@{ name = $path; version = $version }) $Detect.version $path
}

function Get-DetectedRegistry {
    param($Detect)
    $path = 'Registry::' + (ConvertTo-HiveName $Detect.key)
    $item = Get-Item -LiteralPath $path -ErrorAction SilentlyContinue
    if ($null -eq $item) { return New-Detected $false $null "$($Detect.key) is not there" }
    if ($null -eq $Detect.value) { return New-Detected $true $null $Detect.key }
    $value = $item.GetValue($Detect.value, $null)
    $label = '{0}, {1}' -f $Detect.key, $Detect.value
    if ($null -eq $value) { return New-Detected $false $null "$label is not there" }
    if ($null -ne $Detect.equals -and [string]$value -ne [string]$Detect.equals) { return New-Detected $false $null "$label is something else" }
    $version = if (@($Detect.version).Count -gt 0) { [string]$value } else { $null }
    return Find-Best @([pscustomobject]@{ name = $label; version = $version }) $Detect.version $label
}

function ConvertTo-HiveName {
    param([string]$Key)
    $names = @{ HKLM = 'HKEY_LOCAL_MACHINE'; HKCU = 'HKEY_CURRENT_USER'; HKU = 'HKEY_USERS'; HKCR = 'HKEY_CLASSES_ROOT'; HKCC = 'HKEY_CURRENT_CONFIG' }
    $parts = $Key -split '\\', 2
    $hive = $parts[0].TrimEnd(':').ToUpperInvariant()
    if ($names.ContainsKey($hive)) { $hive = $names[$hive] }
    if ($parts.Count -eq 1) { return $hive }
    return $hive + '\' + $parts[1]
}

function Get-DetectedService {
    param($Detect)
    $service = Get-Service -Name $Detect.service -ErrorAction SilentlyContinue
    return New-Detected ($null -ne $service) $null ("service {0}" -f $Detect.service)
}

function Get-DetectedFeature {
    param($Detect)
    $name = $Detect.feature
    if (Get-Command -Name Get-WindowsFeature -ErrorAction SilentlyContinue) {
        $feature = Get-WindowsFeature -Name $name -ErrorAction SilentlyContinue # winps: ignore C105 only asked where it is there
        if ($null -ne $feature) { return New-Detected ([string]$feature.InstallState -eq 'Installed') $null "$name $($feature.InstallState)" }
    }
    $optional = Get-WindowsOptionalFeature -Online -FeatureName $name -ErrorAction SilentlyContinue
    if ($null -eq $optional) { return New-Detected $false $null "$name is unknown" }
    return New-Detected ([string]$optional.State -eq 'Enabled') $null "$name $($optional.State)"
}

function Get-DetectedScript {
    param($Detect)
    $last = @(& ([scriptblock]::Create($Detect.script)) | ForEach-Object { $_ }) | Select-Object -Last 1
    return New-Detected ([bool]$last) $null 'script'
}

function Get-Detected {
    # $null where there is nothing to detect.
    param($Detect)
    if ($null -eq $Detect) { return $null }
    switch ($Detect.kind) {
        'product' { return Get-DetectedProduct $Detect }
        'product_code' { return Get-DetectedProductCode $Detect }
        'file' { return Get-DetectedFile $Detect }
        'registry' { return Get-DetectedRegistry $Detect }
        'service' { return Get-DetectedService $Detect }
        'feature' { return Get-DetectedFeature $Detect }
        'script' { return Get-DetectedScript $Detect }
        default { Stop-Operation -Kind 'invalid_input' -Message "There is no detection of kind '$($Detect.kind)'." }
    }
}
