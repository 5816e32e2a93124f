# A made-up Windows for one operation: registry, CIM objects, services, processes, packages, accounts, tasks. What the
# world does not mention is the engine's own pretence. Files are real, below the world's own root.

function global:Enter-World {
    param([string]$File)
    $world = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($File))
    $env:SystemDrive = $world.root
    $env:SystemRoot = $world.root + '/Windows'
    $env:ProgramData = $world.root + '/ProgramData'
    $env:ProgramFiles = $world.root + '/Program Files'
    $keys = @{}
    foreach ($key in $world.registry.PSObject.Properties) {
        $values = [ordered]@{}
        foreach ($value in $key.Value.PSObject.Properties) { $values[$value.Name] = $value.Value }
        $keys[$key.Name.ToLowerInvariant()] = @{ path = $key.Name; values = $values }
    }
    Add-Ancestors $keys
    $global:World = @{ data = $world; keys = $keys }
}

function global:Add-Ancestors {
    # A key is in a key.
    param([hashtable]$Keys)
    foreach ($path in @($Keys.Values | ForEach-Object { $_.path })) {
        $above = $path
        while (($above = $above.Substring(0, [Math]::Max($above.LastIndexOf('\'), 0))) -and $above -notlike '*:') {
            if (-not $Keys.ContainsKey($above.ToLowerInvariant())) { $Keys[$above.ToLowerInvariant()] = @{ path = $above; values = [ordered]@{} } }
        }
    }
}

function global:Add-Call {
    # What was done to the world, one line each, for the test to read. Programs add to the same file.
    param([string]$What)
    [IO.File]::AppendAllText("$env:SystemRoot/System32/calls.txt", "$What`n")
}

function global:Invoke-Restricted {
    # Runs a script where a policy lets PowerShell call nothing of .NET.
    param([string]$Mode, [string]$Text, [string]$InputJson)
    $state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
    $state.LanguageMode = $Mode
    $shell = [PowerShell]::Create($state)
    foreach ($line in $shell.AddScript($Text).AddArgument($InputJson).Invoke()) { [Console]::Out.WriteLine([string]$line) }
}

function global:Get-Told {
    # A list of the world, or $null where the world says nothing of it; `throws` in its place is what the question ends with.
    param([string]$Name, [string]$Part = '')
    $list = $global:World.data.PSObject.Properties[$Name]
    if ($null -eq $list) { return $null }
    if ($null -ne $list.Value -and $list.Value.PSObject.Properties['throws']) { throw $list.Value.throws }
    if (-not $Part) { return , @($list.Value) }
    $inner = $list.Value.PSObject.Properties[$Part]
    if ($null -eq $inner) { return $null }
    return , @($inner.Value)
}

function global:Test-Registry {
    param($Path)
    return $null -ne $Path -and (Get-KeyPath $Path) -match '^(HKLM|HKCU|HKU):'
}

function global:Get-KeyPath {
    # Windows has no drive for the hive of all users, so that scripts name it by its provider.
    param($Path)
    return ([string]@($Path)[0]).TrimEnd('\') -replace '^Registry::HKEY_USERS', 'HKU:'
}

function global:New-FakeKey {
    param($Key)
    $object = New-Object PSObject -Property @{ PSChildName = ($Key.path -split '\\')[-1]; PSPath = $Key.path; Values = $Key.values }
    $object | Add-Member -MemberType ScriptMethod -Name GetValue -Value { if ($this.Values.Contains([string]$args[0])) { return $this.Values[[string]$args[0]] } if ($args.Count -gt 1) { return $args[1] } }
    $object | Add-Member -MemberType ScriptMethod -Name GetValueNames -Value { return , [string[]]@($this.Values.Keys) }
    $object | Add-Member -MemberType ScriptMethod -Name Dispose -Value { }
    return $object
}

function global:Find-Key {
    param($Path)
    Read-Changes
    return $global:World.keys[(Get-KeyPath $Path).ToLowerInvariant()]
}

function global:Read-Changes {
    # What programs have written into the registry: key, name and number, one a line.
    $file = "$env:SystemRoot/System32/registry.txt"
    if (-not [IO.File]::Exists($file)) { return }
    $lines = [IO.File]::ReadAllLines($file)
    [IO.File]::Delete($file)
    foreach ($line in $lines) {
        $key, $name, $number = $line -split '\|'
        $global:World.keys[$key.ToLowerInvariant()].values[$name] = [int]$number
    }
}

function global:Get-Item {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string]$LiteralPath, [switch]$Force)
    $where = if ($LiteralPath) { $LiteralPath } else { $Path }
    if ("$where" -like 'WSMan:*') { return New-Object PSObject -Property @{ Value = (Get-Told 'wsman' "$where")[0] } }
    if (-not (Test-Registry $where)) { return Microsoft.PowerShell.Management\Get-Item @PSBoundParameters }
    $key = Find-Key $where
    if ($null -eq $key) { Write-Error "Cannot find path '$where' because it does not exist."; return }
    return New-FakeKey $key
}

function global:Test-Path {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string]$LiteralPath, [string]$PathType)
    $where = if ($LiteralPath) { $LiteralPath } else { $Path }
    if ("$where" -cmatch '^([D-Z]):\\(.*)$') { $PSBoundParameters['LiteralPath'] = "$env:SystemDrive/drives/$($Matches[1])/$($Matches[2])" }
    if (-not (Test-Registry $where)) { return Microsoft.PowerShell.Management\Test-Path @PSBoundParameters }
    return $null -ne (Find-Key $where)
}

function global:Get-ChildItem {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string]$LiteralPath, [switch]$Force, [switch]$Recurse, [switch]$File, [switch]$Directory)
    $where = if ($LiteralPath) { $LiteralPath } else { $Path }
    if ("$where" -eq 'Cert:\LocalMachine\My') { return (Get-Told 'certificates') }
    if (-not (Test-Registry $where)) { return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters }
    $start = (Get-KeyPath $where).ToLowerInvariant() + '\'
    foreach ($name in @($global:World.keys.Keys)) {
        if ($name.StartsWith($start) -and -not $name.Substring($start.Length).Contains('\')) { New-FakeKey $global:World.keys[$name] }
    }
}

function global:Join-Path {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$Path, [Parameter(Position = 1)][string]$ChildPath)
    if (Test-Registry $Path) { return $Path.TrimEnd('\') + '\' + $ChildPath }
    return Microsoft.PowerShell.Management\Join-Path @PSBoundParameters
}

function global:New-Item {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string]$ItemType, [switch]$Force)
    if (-not (Test-Registry $Path)) { return Microsoft.PowerShell.Management\New-Item @PSBoundParameters }
    $global:World.keys[$Path[0].ToLowerInvariant()] = @{ path = $Path[0]; values = [ordered]@{} }
    Add-Ancestors $global:World.keys
}

function global:New-ItemProperty {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Name, [string]$PropertyType, $Value, [switch]$Force)
    (Find-Key $LiteralPath).values[$Name] = $Value
}

function global:Set-ItemProperty {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Name, $Value)
    (Find-Key $LiteralPath).values[$Name] = $Value
}

function global:Remove-Item {
    # A key without -Recurse only when it has no keys of its own; files are real.
    [CmdletBinding()]
    param([Parameter(Position = 0)][string[]]$Path, [string]$LiteralPath, [switch]$Recurse, [switch]$Force, [switch]$DeleteKey)
    $where = if ($LiteralPath) { $LiteralPath } else { $Path }
    if (-not (Test-Registry $where)) { return Microsoft.PowerShell.Management\Remove-Item @PSBoundParameters }
    if (-not $Recurse -and @(Get-ChildItem -LiteralPath $where).Count -gt 0) { throw "The item at $where has children and the Recurse parameter was not specified." }
    $global:World.keys.Remove((Get-KeyPath $where).ToLowerInvariant())
}

function global:Remove-ItemProperty {
    [CmdletBinding()]
    param([string]$LiteralPath, [string]$Name, [switch]$Force)
    $key = Find-Key $LiteralPath
    if (-not $key.values.Contains($Name)) { throw "Property $Name does not exist at path $LiteralPath." }
    $key.values.Remove($Name)
}

function global:Get-CimInstance {
    [CmdletBinding()]
    param([string]$ClassName, [string]$Namespace, [string]$Filter)
    $told = Get-Told 'cim' $ClassName
    if ($null -eq $told) { return Invoke-Own 'Get-CimInstance' $PSBoundParameters }
    if ($Filter -match "^(\w+)='([^']*)'$") { return $told | Where-Object { [string]$_.($Matches[1]) -eq $Matches[2] } }
    return $told
}

function global:Invoke-Own {
    # The engine's own command of a name that is taken here.
    param([string]$Name, $Arguments)
    $command = Get-Command -Name $Name -CommandType Cmdlet
    return & $command @Arguments
}

function global:Invoke-CimMethod {
    [CmdletBinding()]
    param($InputObject, [string]$MethodName, $Arguments, [string]$Namespace, [string]$ClassName)
    Add-Call $MethodName
    if ($null -eq $InputObject) { throw 'Invalid namespace' }
    if ($MethodName -eq 'Decrypt') { $InputObject.status = 0 }
    return New-Object PSObject -Property @{ ConversionStatus = $InputObject.status; EncryptionPercentage = [int]($InputObject.status -ne 0) * 100 }
}

function global:Get-Process {
    [CmdletBinding()]
    param([string[]]$Name, [int]$Id)
    if ($Id) { return Invoke-Own 'Get-Process' @{ Id = $Id } }
    return @(Get-Told 'processes' | ForEach-Object { $_ } | Where-Object { $Name -contains $_ } | ForEach-Object { New-Object PSObject -Property @{ ProcessName = $_ } })
}

function global:Get-ServiceObject {
    # The CIM object of a service, which tells the same as the service itself.
    param([string]$Name)
    return Get-Told 'cim' 'Win32_Service' | ForEach-Object { $_ } | Where-Object { $_.Name -eq $Name } | Select-Object -First 1
}

function global:Set-FakeStatus {
    param($Service, [string]$Verb, [string]$Status)
    Add-Call "$Verb $($Service.Name)"
    $object = Get-ServiceObject $Service.Name
    if ($Verb -eq 'start' -and $null -ne $object -and $object.StartMode -eq 'Disabled') { throw "Cannot start service $($Service.Name) on computer '.'." }
    if ($Service.Told.stuck) { return }
    $Service.Told.status = $Status
    if ($null -ne $object) { $object.State = $Status }
}

function global:New-FakeService {
    param($Told)
    $object = New-Object PSObject -Property @{ Name = $Told.name; ServiceName = $Told.name; Status = $Told.status; StartType = $Told.start; Told = $Told; DependentServices = @($Told.dependents | ForEach-Object { New-Object PSObject -Property @{ Name = $_ } }) }
    $object | Add-Member -MemberType ScriptMethod -Name Refresh -Value { $this.Status = $this.Told.status }
    $object | Add-Member -MemberType ScriptMethod -Name Start -Value { Set-FakeStatus $this 'start' 'Running' }
    $object | Add-Member -MemberType ScriptMethod -Name Stop -Value { Set-FakeStatus $this 'stop' 'Stopped' }
    $object | Add-Member -MemberType ScriptMethod -Name WaitForStatus -Value { $this.Refresh(); if ($this.Status -ne [string]$args[0]) { throw 'Time out has expired and the operation has not been completed.' } }
    return $object
}

function global:Get-Service {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$Name)
    $told = @(Get-Told 'services' | ForEach-Object { $_ } | Where-Object { $_.name -eq $Name })
    if ($told.Count -gt 0) { return New-FakeService $told[0] }
    return Invoke-Own 'Get-Service' $PSBoundParameters
}

function global:Set-Service {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$Name, [ValidateSet('Automatic', 'Manual', 'Disabled')][string]$StartupType)
    $object = Get-ServiceObject $Name
    if ($null -eq $object) { throw "Service '$Name' was not found." }
    Add-Call "set $Name $StartupType"
    $object.StartMode = $StartupType -replace 'Automatic', 'Auto'
}

function global:Get-AppxPackage { [CmdletBinding()] param([switch]$AllUsers) return (Get-Told 'appx') }
function global:Get-AppxProvisionedPackage { [CmdletBinding()] param([switch]$Online) return (Get-Told 'provisioned') }
function global:Remove-AppxPackage {
    [CmdletBinding()]
    param([string]$Package, [switch]$AllUsers)
    $global:World.data.appx = @($global:World.data.appx | Where-Object { $_.PackageFullName -ne $Package })
}
function global:Get-WindowsFeature { [CmdletBinding()] param([string[]]$Name) return (Get-Told 'roles') | Where-Object { $Name -contains $_.Name } }
function global:Get-WindowsOptionalFeature { [CmdletBinding()] param([switch]$Online, [string]$FeatureName) return (Get-Told 'features') }
function global:Get-VMSwitch { [CmdletBinding()] param() return (Get-Told 'switches') }
function global:Get-LocalUser { [CmdletBinding()] param([string]$Name) return (Get-Told 'accounts') | Where-Object { -not $Name -or $_.Name -eq $Name } }
function global:Get-NetFirewallRule { [CmdletBinding()] param([string]$Name) return (Get-Told 'firewall') }
function global:Get-ScheduledTask { [CmdletBinding()] param([string]$TaskName) return (Get-Told 'tasks') }
function global:Get-WSManInstance { [CmdletBinding()] param([string]$ResourceURI, [switch]$Enumerate) return (Get-Told 'listeners') }
function global:Find-EventLog { param([string]$Name) return Get-Told 'event_logs' | ForEach-Object { $_ } | Where-Object { $_.name -eq $Name } }
function global:Get-WinEvent {
    [CmdletBinding()]
    param([string]$ListLog)
    $log = Find-EventLog $ListLog
    if ($null -eq $log) { throw "There is not an event log on the localhost computer that matches `"$ListLog`"." }
    return New-Object PSObject -Property @{ LogName = $log.name; RecordCount = $log.events }
}
function global:Delete-DeliveryOptimizationCache {
    [CmdletBinding()]
    param([string]$FileId, [switch]$IncludePinnedFiles, [switch]$Force)
    if (-not $Force) { throw 'a question without an answer: -Force is missing' }
    Add-Call 'Delete-DeliveryOptimizationCache'
}
function global:Start-Sleep {
    # Long pauses are for Windows to do something; here it is done at once.
    [CmdletBinding()]
    param([int]$Seconds, [int]$Milliseconds)
    Microsoft.PowerShell.Utility\Start-Sleep -Milliseconds $Milliseconds
}

function global:New-Object {
    # The engine has no Windows Update; this one has the world's updates, and its drive.
    [CmdletBinding()]
    param([Parameter(Position = 0)][string]$TypeName, [Parameter(Position = 1)][object[]]$ArgumentList, [string]$ComObject, $Property)
    if ($TypeName -eq 'IO.DriveInfo') { return New-WorldDrive $ArgumentList }
    switch ($ComObject) {
        '' { $null = $PSBoundParameters.Remove('ComObject'); return Microsoft.PowerShell.Utility\New-Object @PSBoundParameters }
        'Microsoft.Update.Session' { return New-UpdateSession }
        'Microsoft.Update.UpdateColl' { return , (Microsoft.PowerShell.Utility\New-Object Collections.ArrayList) }
        default { throw "there is no class $ComObject" }
    }
}

function global:New-UpdateSession {
    $session = New-Object PSObject -Property @{ ClientApplicationID = '' }
    $session | Add-Member -MemberType ScriptMethod -Name CreateUpdateSearcher -Value {
        $searcher = New-Object PSObject -Property @{ ServerSelection = 0; ServiceID = '' }
        $searcher | Add-Member -MemberType ScriptMethod -Name Search -Value {
            $found = @(Get-Told 'updates' | ForEach-Object { $_ })
            foreach ($one in $found) { if (-not $one.PSObject.Methods['AcceptEula']) { $one | Add-Member -MemberType ScriptMethod -Name AcceptEula -Value { $this.EulaAccepted = $true } } }
            return New-Object PSObject -Property @{ Updates = $found }
        }
        return $searcher
    }
    $session | Add-Member -MemberType ScriptMethod -Name CreateUpdateDownloader -Value {
        $downloader = New-Object PSObject -Property @{ Updates = $null }
        $downloader | Add-Member -MemberType ScriptMethod -Name Download -Value {
            foreach ($one in $this.Updates) { $one.IsDownloaded = -not $one.unloadable }
            return New-Object PSObject -Property @{ ResultCode = 2 }
        }
        return $downloader
    }
    $session | Add-Member -MemberType ScriptMethod -Name CreateUpdateInstaller -Value {
        $installer = New-Object PSObject -Property @{ Updates = $null }
        $installer | Add-Member -MemberType ScriptMethod -Name Install -Value {
            $one = @($this.Updates)[0]
            Start-Sleep -Milliseconds $one.milliseconds
            $answer = New-Object PSObject -Property @{ Single = (New-Object PSObject -Property @{ ResultCode = $one.result; HResult = $one.hresult; RebootRequired = $one.reboot }) }
            $answer | Add-Member -MemberType ScriptMethod -Name GetUpdateResult -Value { return $this.Single }
            return $answer
        }
        return $installer
    }
    return $session
}
