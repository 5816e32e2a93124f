<#
.SYNOPSIS
Sets or removes registry values, or removes a key.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Open-Hive {
    param([string]$Key, [int]$View)
    $hives = @{
        HKLM = [Microsoft.Win32.RegistryHive]::LocalMachine
        HKCU = [Microsoft.Win32.RegistryHive]::CurrentUser
        HKU  = [Microsoft.Win32.RegistryHive]::Users
        HKCR = [Microsoft.Win32.RegistryHive]::ClassesRoot
        HKCC = [Microsoft.Win32.RegistryHive]::CurrentConfig
    }
    $name = ($Key -split '\\', 2)[0].TrimEnd(':').ToUpperInvariant()
    if (-not $hives.ContainsKey($name)) { Stop-Operation -Kind 'unknown_hive' -Message "There is no root key $name." }
    $side = if ($View -eq 32) { [Microsoft.Win32.RegistryView]::Registry32 } else { [Microsoft.Win32.RegistryView]::Registry64 }
    return [Microsoft.Win32.RegistryKey]::OpenBaseKey($hives[$name], $side)
}

function ConvertTo-Data {
    # The value as .NET wants it, and its kind.
    param($Value)
    switch ($Value.kind) {
        'string' { return @{ kind = 'String'; data = [string]$Value.data } }
        'expand_string' { return @{ kind = 'ExpandString'; data = [string]$Value.data } }
        'dword' { return @{ kind = 'DWord'; data = [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32]$Value.data), 0) } }
        'qword' { return @{ kind = 'QWord'; data = [BitConverter]::ToInt64([BitConverter]::GetBytes([uint64]::Parse([string]$Value.data)), 0) } }
        'multi_string' { return @{ kind = 'MultiString'; data = [string[]]@($Value.data) } }
        'binary' {
            $hex = [string]$Value.data
            $bytes = New-Object byte[] ([int]($hex.Length / 2))
            for ($i = 0; $i -lt $bytes.Length; $i++) { $bytes[$i] = [Convert]::ToByte($hex.Substring($i * 2, 2), 16) }
            return @{ kind = 'Binary'; data = $bytes }
        }
        default { Stop-Operation -Kind 'invalid_input' -Message "There is no registry type '$($Value.kind)'." }
    }
}

function Test-SameData {
    # Also the type must be the same.
    param([Microsoft.Win32.RegistryKey]$Key, [string]$Name, $Wanted)
    $present = $Key.GetValue($Name, $null, [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
    if ($null -eq $present -or [string]$Key.GetValueKind($Name) -ne $Wanted.kind) { return $false }
    if ($Wanted.kind -eq 'String' -or $Wanted.kind -eq 'ExpandString') { return $present -ceq $Wanted.data }
    return ((@($present) -join "`0") -ceq (@($Wanted.data) -join "`0"))
}

function Set-Value {
    # True when something changed.
    param([Microsoft.Win32.RegistryKey]$Key, $Value)
    $name = [string]$Value.name
    if ($Value.kind -eq 'absent') {
        if ($null -eq $Key.GetValue($name, $null)) { return $false }
        $Key.DeleteValue($name, $false)
        return $true
    }
    $wanted = ConvertTo-Data $Value
    if (Test-SameData $Key $name $wanted) { return $false }
    $Key.SetValue($name, $wanted.data, [Microsoft.Win32.RegistryValueKind]$wanted.kind)
    return $true
}

function Remove-Key {
    param($Base, [string]$Path)
    $key = $Base.OpenSubKey($Path)
    if ($null -eq $key) { return $false }
    $key.Dispose()
    $Base.DeleteSubKeyTree($Path)
    return $true
}

function Set-Key {
    # How many values changed; a key without values is one change when it is made.
    param($Base, $In, [string]$Path)
    $values = @($In.values)
    $key = $Base.OpenSubKey($Path, $true)
    if ($null -eq $key) {
        if ($values.Count -gt 0 -and @($values | Where-Object { $_.kind -ne 'absent' }).Count -eq 0) { return 0 }
        $key = $Base.CreateSubKey($Path)
        if ($values.Count -eq 0) { $key.Dispose(); return 1 }
    }
    try {
        return @($values | Where-Object { Set-Value $key $_ }).Count
    } finally {
        $key.Dispose()
    }
}

function Invoke-Operation {
    param($In)
    $path = ($In.key -split '\\', 2)[1].Trim('\')
    $base = Open-Hive $In.key ([int]$In.view)
    try {
        if ($In.state -eq 'absent') { $count = [int](Remove-Key $base $path) } else { $count = Set-Key $base $In $path }
    } finally {
        $base.Dispose()
    }
    Send-Result (New-StepResult -Changed ($count -gt 0) -Already ($count -eq 0) -Detail "$count changes in $($In.key)")
}
