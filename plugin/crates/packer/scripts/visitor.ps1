# reseal:visitor/1
<#
.SYNOPSIS
Carries out one request of Reseal in a machine that is reached through somebody else's connection.
.DESCRIPTION
Such a connection knows files and commands only. The request stands in a file, which is removed as soon as it is read; the
one answer is a marked line on standard output. Everything else that is printed is log.
.PARAMETER Do
run (an operation), look (who answers), state (is a file there and equal), finish (a part becomes the file).
.PARAMETER Name
The operation's name, for people who look at processes.
.PARAMETER Script
The file with the operation's text.
.PARAMETER InputFile
The file with the request as JSON.
#>
param(
    [Parameter(Mandatory = $true)][ValidateSet('run', 'look', 'state', 'finish')][string] $Do,
    [string] $Name = '',
    [string] $Script = '',
    [string] $InputFile = ''
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$null = $Name
try { [Console]::OutputEncoding = New-Object Text.UTF8Encoding($false) } catch { $null = $_ }
$global:ResealAnswered = $false

function Write-Answer {
    param([Parameter(Mandatory = $true)] $Answer)
    $json = ConvertTo-Json -InputObject $Answer -Compress -Depth 4
    $global:ResealAnswered = $true
    [Console]::Out.WriteLine('')
    [Console]::Out.WriteLine('##reseal:result:' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($json)))
}

function Get-Sha256 {
    param([Parameter(Mandatory = $true)][string] $Path)
    return (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

function Get-Look {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters'
    $prefetch = Get-ItemProperty -LiteralPath $key -ErrorAction SilentlyContinue
    $boot = $null
    if ($null -ne $prefetch -and $null -ne $prefetch.PSObject.Properties['BootId']) { $boot = [long] $prefetch.BootId }
    $time = $system.LastBootUpTime.ToUniversalTime()
    return @{
        boot_time     = $time.ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture)
        boot_id       = $boot
        computer_name = [Environment]::MachineName
    }
}

function Test-Equal {
    param($Request, [string] $Path)
    $file = New-Object IO.FileInfo $Path
    if (-not $file.Exists -or $file.Length -ne [long] $Request.size) { return $false }
    return (Get-Sha256 $Path) -eq $Request.sha256
}

function Complete-File {
    param($Request)
    $part = $Request.path + '.partial'
    if (-not (Test-Equal $Request $part)) {
        $found = if ([IO.File]::Exists($part)) { Get-Sha256 $part } else { '' }
        return @{ equal = $false; sha256 = $found }
    }
    if ([IO.File]::Exists($Request.path)) {
        [IO.File]::SetAttributes($Request.path, [IO.FileAttributes]::Normal)
        [IO.File]::Delete($Request.path)
    }
    [IO.File]::Move($part, $Request.path)
    return @{ equal = $true; sha256 = $Request.sha256 }
}

$kind = 'no_result'
$message = 'The operation ended without an answer.'
try {
    $text = ''
    if ($InputFile) {
        $text = [IO.File]::ReadAllText($InputFile)
        [IO.File]::Delete($InputFile)
    }
    if ($Do -eq 'run') {
        $operation = [scriptblock]::Create([IO.File]::ReadAllText($Script))
        & $operation $text | Out-String -Stream | ForEach-Object { [Console]::Out.WriteLine($_) }
    } elseif ($Do -eq 'look') {
        Write-Answer @{ ok = $true; result = (Get-Look) }
    } else {
        $request = ConvertFrom-Json -InputObject $text
        $result = if ($Do -eq 'state') { @{ equal = (Test-Equal $request $request.path) } } else { Complete-File $request }
        Write-Answer @{ ok = $true; result = $result }
    }
} catch {
    $kind = 'exception'
    $message = [string] $_.Exception.Message
}
if (-not $global:ResealAnswered) { Write-Answer @{ ok = $false; error = @{ kind = $kind; message = $message } } }
exit 0
