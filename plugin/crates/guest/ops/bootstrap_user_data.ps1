#ps1_sysnative
<#
.SYNOPSIS
Opens the way into a new machine: a one-time account and an HTTPS listener with a certificate that the builder knows.
.DESCRIPTION
Run by the cloud's agent at first boot. Everything that it changes is written down under the undo key, so that the sysprep
wrapper can take it back. It may run again after a restart.
#>
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$values = ConvertFrom-Json -InputObject ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('@@RESEAL_VALUES@@')))
$selector = @{ Address = '*'; Transport = 'HTTPS' }
$taskName = "$($values.prefix)-$($values.run)-way-in"
$folder = Join-Path $env:ProgramData "$($values.home)\$($values.run)"

# reseal:libraries

function Set-Account {
    # The group has another name in every language, so it is found by its SID.
    $password = ConvertTo-Secure $values.password
    if ($null -eq (Get-LocalUser -Name $values.account -ErrorAction SilentlyContinue)) {
        $null = New-LocalUser -Name $values.account -Password $password -AccountNeverExpires -PasswordNeverExpires -Description 'Image build, one time'
    } else {
        Set-LocalUser -Name $values.account -Password $password
    }
    $user = Get-LocalUser -Name $values.account
    $null = Add-Membership (Get-LocalGroup -SID 'S-1-5-32-544') $user
}

function Set-Certificate {
    if (Test-Path -LiteralPath "Cert:\LocalMachine\My\$($values.thumbprint)") { return }
    $flags = [Security.Cryptography.X509Certificates.X509KeyStorageFlags]'MachineKeySet, PersistKeySet'
    $bytes = [Convert]::FromBase64String($values.pfx)
    $certificate = New-Object Security.Cryptography.X509Certificates.X509Certificate2($bytes, $values.pfx_password, $flags)
    $store = New-Object Security.Cryptography.X509Certificates.X509Store('My', 'LocalMachine')
    $store.Open([Security.Cryptography.X509Certificates.OpenFlags]::ReadWrite)
    try { $store.Add($certificate) } finally { $store.Close() }
    Add-Undo $values.undo_key ([ordered]@{ kind = 'certificate'; thumbprint = $values.thumbprint })
}

function Set-Policy {
    # Without it an administrator other than the built-in one has a filtered token over the network.
    $null = Set-ValueForNow $values.undo_key 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' 'LocalAccountTokenFilterPolicy' 1
}

function Set-Firewall {
    $name = "$($values.prefix)-$($values.run)"
    if ($null -ne (Get-NetFirewallRule -Name $name -ErrorAction SilentlyContinue)) { return }
    $remote = if (@($values.remote_addresses).Count -gt 0) { [string[]]@($values.remote_addresses) } else { 'Any' }
    Add-Undo $values.undo_key ([ordered]@{ kind = 'firewall'; name = $name })
    $null = New-NetFirewallRule -Name $name -DisplayName "Reseal $($values.run)" -Direction Inbound -Action Allow -Protocol TCP -LocalPort $values.open_port -RemoteAddress $remote -Profile Any
}

function Start-WinRm {
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='WinRM'"
    if ([string]$service.StartMode -ne 'Auto') {
        Add-Undo $values.undo_key ([ordered]@{ kind = 'service'; name = 'WinRM'; start = [string]$service.StartMode })
        Set-Service -Name WinRM -StartupType Automatic
    }
    $null = Start-BoundedService 'WinRM'
}

function Get-ListenerThumbprint {
    # $null without a listener.
    try {
        $listener = Get-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector
        return [string]$listener.CertificateThumbprint
    } catch {
        return $null
    }
}

function Set-Listener {
    $present = Get-ListenerThumbprint
    if ($present -eq $values.thumbprint) { return }
    Add-Undo $values.undo_key ([ordered]@{ kind = 'listener'; existed = ($null -ne $present); thumbprint = $present })
    if ($null -ne $present) { Remove-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector }
    $null = New-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector -ValueSet @{ Port = [string]$values.port; CertificateThumbprint = [string]$values.thumbprint; Hostname = '' }
}

function Set-Guard {
    # The cloud's agent may make its own HTTPS listener after this script; a task puts ours back while the build lasts.
    if ($null -ne (Get-ScheduledTask -TaskName $taskName -ErrorAction SilentlyContinue)) { return }
    $null = New-Item -ItemType Directory -Path $folder -Force
    Add-Undo $values.undo_key ([ordered]@{ kind = 'folder'; path = $folder })
    $text = @'
$ErrorActionPreference = 'Stop'
$selector = @{ Address = '*'; Transport = 'HTTPS' }
$present = ''
try { $present = [string](Get-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector).CertificateThumbprint } catch { $present = $null }
if ($present -eq 'THUMBPRINT') { exit 0 }
if ($null -ne $present) { Remove-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector }
$null = New-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $selector -ValueSet @{ Port = 'PORT'; CertificateThumbprint = 'THUMBPRINT'; Hostname = '' }
'@
    $file = Join-Path $folder 'way-in.ps1'
    [IO.File]::WriteAllText($file, $text.Replace('THUMBPRINT', [string]$values.thumbprint).Replace('PORT', [string]$values.port), (New-Object Text.ASCIIEncoding))
    $program = Join-Path $env:SystemRoot 'System32\WindowsPowerShell\v1.0\powershell.exe'
    $action = New-ScheduledTaskAction -Execute $program -Argument "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$file`""
    $trigger = New-ScheduledTaskTrigger -Once -At ([DateTime]::Now.AddMinutes(1)) -RepetitionInterval ([TimeSpan]::FromMinutes(1)) -RepetitionDuration ([TimeSpan]::FromDays(1))
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    Add-Undo $values.undo_key ([ordered]@{ kind = 'task'; name = $taskName })
    $null = Register-ScheduledTask -TaskName $taskName -Action $action -Trigger $trigger -Principal $principal
}

function Set-DeadMan {
    # A machine that nobody removed any more, because its builder died, at least stops costing its full price.
    $name = "$($values.prefix)-$($values.run)-dead-man"
    if ([int]$values.dead_man_hours -le 0) { return }
    if ($null -ne (Get-ScheduledTask -TaskName $name -ErrorAction SilentlyContinue)) { return }
    $action = New-ScheduledTaskAction -Execute (Join-Path $env:SystemRoot 'System32\shutdown.exe') -Argument '/s /f /t 60 /d p:4:1'
    $trigger = New-ScheduledTaskTrigger -Once -At ([DateTime]::Now.AddHours([int]$values.dead_man_hours))
    $principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    Add-Undo $values.undo_key ([ordered]@{ kind = 'task'; name = $name })
    $null = Register-ScheduledTask -TaskName $name -Action $action -Trigger $trigger -Principal $principal
}

Set-Account
Set-DeadMan
Set-Certificate
Set-Policy
Set-Firewall
Start-WinRm
Set-Listener
Set-Guard
# Neither restart nor run again.
exit 0
