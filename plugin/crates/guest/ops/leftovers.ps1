<#
.SYNOPSIS
Looks for everything that a build can leave in an image. It removes and judges nothing.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Get-Undo {
    # What the sysprep wrapper will take back by itself.
    param([string]$Key)
    $item = Get-Item -LiteralPath (Join-Path $Key 'Undo') -ErrorAction SilentlyContinue
    if ($null -eq $item) { return , @() }
    return , @(foreach ($name in $item.GetValueNames()) {
            $entry = ConvertFrom-Json -InputObject ([string]$item.GetValue($name))
            $what = 'name', 'thumbprint', 'path' | ForEach-Object { Get-Field $entry $_ } | Where-Object { $_ } | Select-Object -First 1
            [ordered]@{ kind = [string]$entry.kind; name = "$what" }
        })
}

function Get-Certificates {
    # Those with a private key: every machine made of the image would have the same one.
    return , @(Get-ChildItem -LiteralPath 'Cert:\LocalMachine\My' | Where-Object { $_.HasPrivateKey } | ForEach-Object { [ordered]@{ thumbprint = [string]$_.Thumbprint; subject = [string]$_.Subject } })
}

function Get-Listeners {
    $found = @(Get-WSManInstance -ResourceURI 'winrm/config/Listener' -Enumerate)
    return , @($found | ForEach-Object { [ordered]@{ transport = [string]$_.Transport; port = [string]$_.Port; thumbprint = [string]$_.CertificateThumbprint } })
}

function Get-WinRmPolicy {
    $basic = [string](Get-Item -Path 'WSMan:\localhost\Service\Auth\Basic').Value
    $plain = [string](Get-Item -Path 'WSMan:\localhost\Service\AllowUnencrypted').Value
    return [ordered]@{ basic = ($basic -eq 'true'); unencrypted = ($plain -eq 'true') }
}

function Measure-Files {
    # How many files below the folders, and how large; what is below $Keep does not count.
    param([string[]]$Folders, [string[]]$Keep = @())
    $count = [long]0
    $bytes = [long]0
    foreach ($folder in $Folders) {
        if (-not (Test-Path -LiteralPath $folder -PathType Container)) { continue }
        foreach ($file in @(Get-ChildItem -LiteralPath $folder -Recurse -File -Force -ErrorAction SilentlyContinue)) {
            if ($file.Name -eq 'desktop.ini' -or @($Keep | Where-Object { $_ -and $file.FullName -like "$_*" }).Count -gt 0) { continue }
            $count++
            $bytes += $file.Length
        }
    }
    return [ordered]@{ files = $count; bytes = $bytes }
}

function Get-AnswerFileFacts {
    # Each with whether it holds a password, plain or obscured.
    param([string]$Except)
    return , @(foreach ($path in (Find-AnswerFiles $Except)) {
            $secret = $null -ne (Select-String -LiteralPath $path -Pattern '<\s*(\w+:)?(Administrator)?Password\b' -List -ErrorAction SilentlyContinue)
            [ordered]@{ path = $path; secret = $secret }
        })
}

function Get-UserFiles {
    # What lies in the folders in which people keep things.
    return , @(foreach ($userFolder in (Get-ProfileFolders)) {
            foreach ($name in 'Desktop', 'Documents', 'Downloads', 'Pictures', 'Videos', 'Music') {
                $sum = Measure-Files @("$userFolder\$name")
                if ($sum.files -gt 0) { [ordered]@{ folder = "$userFolder\$name"; files = $sum.files; bytes = $sum.bytes } }
            }
        })
}

function Get-FirstBootCommands {
    return , @(foreach ($path in 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce', 'HKCU:\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce') {
            $key = Get-Item -LiteralPath $path -ErrorAction SilentlyContinue
            if ($null -ne $key) { foreach ($name in $key.GetValueNames()) { "$path, $name" } }
        })
}

function Get-Agents {
    # Programs that tell machines apart by something they once wrote down.
    $data = [string]$env:ProgramData
    $marks = [ordered]@{
        'Configuration Manager' = @("$env:SystemRoot\SMSCFG.INI")
        'Puppet'                = @("$data\PuppetLabs\puppet\etc\ssl\private_keys\*.pem")
        'Salt'                  = @("$env:SystemDrive\salt\conf\pki\minion\minion.pem", "$data\Salt Project\Salt\conf\pki\minion\minion.pem")
        'Chef'                  = @("$env:SystemDrive\chef\client.pem")
        'AWS Systems Manager'   = @("$data\Amazon\SSM\Vault\Store\*", "$data\Amazon\SSM\InstanceData\*")
        'Azure agent'           = @("$env:SystemDrive\WindowsAzure\Logs\*")
    }
    return , @(foreach ($name in $marks.Keys) { foreach ($path in @(Find-Files $marks[$name] | ForEach-Object { $_ } | Select-Object -First 1)) { [ordered]@{ name = $name; path = [string]$path } } })
}

function Get-HostEntries {
    $file = Join-Path $env:SystemRoot 'System32\drivers\etc\hosts'
    return , @(Get-Content -LiteralPath $file -ErrorAction SilentlyContinue | ForEach-Object { $_.Trim() } | Where-Object { $_ -and -not $_.StartsWith('#') })
}

function Get-CloudbaseState {
    return , @(Get-ChildItem -LiteralPath 'HKLM:\SOFTWARE\Cloudbase Solutions\Cloudbase-Init' -ErrorAction SilentlyContinue | ForEach-Object { [string]$_.PSChildName })
}

function Add-WayIn {
    # What opened the way into the machine.
    param($Facts, $In)
    $users = { param($Name) $Name -like "$($In.prefix)*" }
    Set-Fact $Facts 'undo' { Get-Undo $In.undo_key }
    Set-Fact $Facts 'accounts' { , @(Get-LocalUser | ForEach-Object { [string]$_.Name } | Where-Object { & $users $_ }) }
    Set-Fact $Facts 'profiles' { , @(Get-ProfileFolders | ForEach-Object { $_ } | Where-Object { & $users (Split-Path -Leaf $_) }) }
    Set-Fact $Facts 'certificates' { Get-Certificates }
    Set-Fact $Facts 'listeners' { Get-Listeners }
    Set-Fact $Facts 'winrm' { Get-WinRmPolicy }
    Set-Fact $Facts 'token_filter' { ((Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' 'LocalAccountTokenFilterPolicy') -as [int]) -eq 1 }
    Set-Fact $Facts 'firewall_rules' { , @(Get-NetFirewallRule | ForEach-Object { [string]$_.Name } | Where-Object { & $users $_ }) }
    Set-Fact $Facts 'tasks' { , @(Get-ScheduledTask | ForEach-Object { [string]$_.TaskName } | Where-Object { & $users $_ }) }
}

function Add-Secrets {
    # What may hold a secret, or is one.
    param($Facts, $In)
    Set-Fact $Facts 'answer_files' { Get-AnswerFileFacts $In.answer_file }
    Set-Fact $Facts 'winlogon' { , @(Find-WinlogonValues | ForEach-Object { $_ } | Where-Object { $_ -notlike 'Default*Name' }) }
    Set-Fact $Facts 'histories' { Find-Histories }
    Set-Fact $Facts 'transcripts' { Find-Transcripts }
    Set-Fact $Facts 'script_events' { [long](Get-WinEvent -ListLog 'Microsoft-Windows-PowerShell/Operational').RecordCount }
    Set-Fact $Facts 'ssh_host_keys' { Find-SshHostKeys }
    Set-Fact $Facts 'first_boot' { Get-FirstBootCommands }
}

function Add-Rest {
    # What tells where the image came from, or only takes room.
    param($Facts, $In)
    Set-Fact $Facts 'temp' { Measure-Files (Get-TempFolders) $In.keep }
    Set-Fact $Facts 'dumps' { Find-CrashDumps }
    Set-Fact $Facts 'logs' { Measure-Files (Get-LogFolders) }
    Set-Fact $Facts 'update_cache' { Measure-Files @("$env:SystemRoot\SoftwareDistribution\Download") }
    Set-Fact $Facts 'user_files' { Get-UserFiles }
    Set-Fact $Facts 'cloudbase_state' { Get-CloudbaseState }
    Set-Fact $Facts 'wsus' { Find-WsusValues }
    Set-Fact $Facts 'upgrade_folders' { Find-UpgradeFolders }
    Set-Fact $Facts 'hibernation' { Test-Path -LiteralPath "$env:SystemDrive\hiberfil.sys" }
    Set-Fact $Facts 'hosts' { Get-HostEntries }
    Set-Fact $Facts 'agents' { Get-Agents }
}

function Invoke-Operation {
    param($In)
    $facts = New-Facts
    Add-WayIn $facts $In
    Add-Secrets $facts $In
    Add-Rest $facts $In
    Send-Result $facts
}
