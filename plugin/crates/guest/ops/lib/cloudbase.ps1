# Cloudbase-Init: its service, its progress and its two configuration files; and the licence that one of its plugins cares for.

function Get-Safe {
    # One fact that may fail by itself.
    param([scriptblock]$Read)
    try { return & $Read } catch { return $null }
}

function Get-CloudbaseFolder {
    # The service's command line names the configuration file; without it the installer's usual place.
    param($Service)
    $line = [string](Get-Field $Service 'PathName')
    if ($line -match '--config-file\s+(?:"([^"]+)"|(\S+))') {
        $file = if ($Matches[1]) { $Matches[1] } else { $Matches[2] }
        return Split-Path -Parent (Split-Path -Parent $file)
    }
    return Join-Path $env:ProgramFiles 'Cloudbase Solutions\Cloudbase-Init'
}

function Read-Shared {
    # A log that somebody else is writing.
    param([string]$Path)
    $stream = New-Object IO.FileStream($Path, [IO.FileMode]::Open, [IO.FileAccess]::Read, ([IO.FileShare]::ReadWrite -bor [IO.FileShare]::Delete))
    try {
        $reader = New-Object IO.StreamReader($stream)
        return $reader.ReadToEnd()
    } finally {
        $stream.Dispose()
    }
}

function Get-LastRun {
    # The log goes on over the machine's whole life: what counts is what follows the last beginning.
    param([string]$Folder)
    $log = Join-Path $Folder 'log\cloudbase-init.log'
    if (-not (Test-Path -LiteralPath $log -PathType Leaf)) { return '' }
    $text = Read-Shared $log
    $begin = [Math]::Max(0, $text.LastIndexOf('Executing plugins for', [StringComparison]::Ordinal))
    return $text.Substring($begin)
}

function Get-CloudbaseState {
    param([string]$Name = 'cloudbase-init')
    if (-not $Name) { $Name = 'cloudbase-init' }
    $service = Get-CimInstance -ClassName Win32_Service -Filter "Name='$Name'"
    $instances = @(Get-ChildItem -LiteralPath 'HKLM:\SOFTWARE\Cloudbase Solutions\Cloudbase-Init' -ErrorAction SilentlyContinue | ForEach-Object { [string]$_.PSChildName })
    $last = [string](Get-Safe { Get-LastRun (Get-CloudbaseFolder $service) })
    return [ordered]@{
        present      = ($null -ne $service)
        start_mode   = if ($null -ne $service) { [string]$service.StartMode } else { $null }
        running      = ($null -ne $service) -and ([string]$service.State -eq 'Running')
        instances    = $instances
        plugins_done = $last.Contains('Plugins execution done')
        password_set = $last.Contains('Password succesfully updated') # spelt so in its source
    }
}

function Get-License {
    $filter = "ApplicationID='55c92734-d682-4d71-983e-d6ec3f16059f' AND PartialProductKey IS NOT NULL"
    $product = @(Get-CimInstance -ClassName SoftwareLicensingProduct -Filter $filter) | Select-Object -First 1
    if ($null -eq $product) { return $null }
    $service = Get-CimInstance -ClassName SoftwareLicensingService
    return [ordered]@{
        status        = [int]$product.LicenseStatus
        description   = [string]$product.Description
        channel       = [string]$product.ProductKeyChannel
        grace_minutes = [long]$product.GracePeriodRemaining
        kms_host      = [string](Get-Field $service 'KeyManagementServiceMachine')
    }
}
