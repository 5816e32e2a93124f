<#
.SYNOPSIS
Sets environment variables and changes the search path.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Open-Environment {
    param([string]$Scope)
    if ($Scope -eq 'user') { return [Microsoft.Win32.Registry]::CurrentUser.CreateSubKey('Environment') }
    return [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey('SYSTEM\CurrentControlSet\Control\Session Manager\Environment')
}

function Get-Raw {
    param([Microsoft.Win32.RegistryKey]$Key, [string]$Name)
    return $Key.GetValue($Name, $null, [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
}

function Set-Raw {
    # True when it was another. Values with % are stored so that Windows expands them.
    param([Microsoft.Win32.RegistryKey]$Key, [string]$Name, [string]$Text)
    if ((Get-Raw $Key $Name) -ceq $Text) { return $false }
    $kind = if ($Text.Contains('%')) { 'ExpandString' } else { 'String' }
    if ($Name -eq 'Path') { $kind = 'ExpandString' }
    $Key.SetValue($Name, $Text, [Microsoft.Win32.RegistryValueKind]$kind)
    return $true
}

function Get-SamePath {
    param([string]$Folder)
    return [Environment]::ExpandEnvironmentVariables($Folder).TrimEnd('\').ToLowerInvariant()
}

function Edit-Path {
    # The new search path; entries that are there already move to where they are wanted.
    param([string]$Path, $Change)
    $named = @(@($Change.prepend) + @($Change.append) + @($Change.remove) | Where-Object { $_ } | ForEach-Object { Get-SamePath $_ })
    $kept = @($Path -split ';' | Where-Object { $_.Trim() -and $named -notcontains (Get-SamePath $_.Trim()) })
    return (@(@($Change.prepend) + $kept + @($Change.append)) | Where-Object { $_ }) -join ';'
}

function Invoke-Operation {
    param($In)
    $key = Open-Environment $In.scope
    $changed = New-Object Collections.Generic.List[string]
    try {
        foreach ($variable in $In.set.PSObject.Properties) {
            if (Set-Raw $key $variable.Name ([string]$variable.Value)) { $changed.Add($variable.Name) }
        }
        foreach ($name in @($In.remove)) {
            if ($null -eq (Get-Raw $key $name)) { continue }
            $key.DeleteValue($name, $false)
            $changed.Add($name)
        }
        if ((@($In.path.prepend).Count + @($In.path.append).Count + @($In.path.remove).Count) -gt 0) {
            if (Set-Raw $key 'Path' (Edit-Path ([string](Get-Raw $key 'Path')) $In.path)) { $changed.Add('Path') }
        }
    } finally {
        $key.Dispose()
    }
    if ($changed.Count -gt 0) {
        # Setting any variable through .NET tells the running programs that the environment has changed.
        $target = if ($In.scope -eq 'user') { 'User' } else { 'Machine' }
        [Environment]::SetEnvironmentVariable('RESEAL_CHANGED', $null, $target)
    }
    $detail = if ($changed.Count -gt 0) { 'changed ' + ($changed -join ', ') } else { 'nothing to do' }
    Send-Result (New-StepResult -Changed ($changed.Count -gt 0) -Already ($changed.Count -eq 0) -Detail $detail)
}
