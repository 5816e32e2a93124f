# Types of .NET that only Windows has, told by the world: they stand under the real names, so that a script that calls them
# is run as it is. What a script must not ask for is refused.

class WorldSid {
    [string]$Value
    WorldSid([string]$Value) { $this.Value = $Value }
}

class WorldIdentity {
    [WorldSid]$User
    [WorldSid[]]$Groups
    [string]$Name
    static [WorldIdentity] GetCurrent() {
        $told = (Get-Told 'identity')[0]
        $found = [WorldIdentity]::new()
        $found.User = [WorldSid]::new($told.sid)
        $found.Groups = [WorldSid[]]@($told.groups | ForEach-Object { [WorldSid]::new($_) })
        $found.Name = $told.name
        return $found
    }
}

class WorldPrincipal {
    hidden [WorldIdentity]$Identity
    WorldPrincipal([WorldIdentity]$Identity) { $this.Identity = $Identity }
    [bool] IsInRole([Security.Principal.WindowsBuiltInRole]$Role) {
        if ($Role -ne [Security.Principal.WindowsBuiltInRole]::Administrator) { throw "the world does not know the role $Role" }
        # A filtered token has the group only to refuse with it.
        return [bool](Get-Told 'identity')[0].elevated
    }
}

class WorldMutex {
    static [bool] TryOpenExisting([string]$Name, [ref]$Found) {
        $held = @(Get-Told 'mutexes' | ForEach-Object { $_ }) -ccontains $Name
        if ($held) { $Found.Value = [IO.MemoryStream]::new() }
        return $held
    }
}

class WorldEventLogs {
    static [WorldEventLogs]$GlobalSession = [WorldEventLogs]::new()
    [string[]] GetLogNames() { return [string[]]@(Get-Told 'event_logs' | ForEach-Object { $_ } | ForEach-Object { $_.name }) }
    [void] ClearLog([string]$Name) {
        $log = Find-EventLog $Name
        if ($null -eq $log) { throw "The specified channel $Name could not be found." }
        if ($log.recorded) { throw 'The channel is enabled and must first be disabled.' }
        $log.events = 0
        Add-Call "clear $Name"
    }
}

$accelerators = [PSObject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
$stands = @{
    'Security.Principal.WindowsIdentity'             = [WorldIdentity]
    'Security.Principal.WindowsPrincipal'            = [WorldPrincipal]
    'Threading.Mutex'                                = [WorldMutex]
    'Diagnostics.Eventing.Reader.EventLogSession'    = [WorldEventLogs]
}
foreach ($name in $stands.Keys) {
    $null = $accelerators::Remove($name)
    $accelerators::Add($name, $stands[$name])
}

function global:New-WorldDrive {
    # The system's drive: what its file of zeros takes is no longer free.
    param([object[]]$Arguments)
    if ($Arguments.Count -ne 1 -or $Arguments[0] -ne $env:SystemDrive) { throw "the world has no drive $Arguments" }
    $drive = New-Object PSObject -Property @{ Name = $env:SystemDrive }
    $drive | Add-Member -MemberType ScriptProperty -Name AvailableFreeSpace -Value {
        $zeros = New-Object IO.FileInfo("$env:SystemDrive/reseal-zero.bin")
        $free = [long](Get-Told 'free')[0]
        if ($zeros.Exists) { $free -= $zeros.Length }
        Add-Call "free $free"
        return $free
    }
    return $drive
}
