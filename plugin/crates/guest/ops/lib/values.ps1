# Values: small things that nearly every operation needs.

function Stop-Operation {
    # Ends the operation with a named failure.
    param(
        [Parameter(Mandatory)][string]$Kind,
        [Parameter(Mandatory)][string]$Message,
        $Code = $null,
        [string]$Hint = '',
        [string[]]$Logs = @(),
        [object[]]$Items = @(),
        [string]$HResult = ''
    )
    $exception = New-Object InvalidOperationException($Message)
    $facts = @{ kind = $Kind; code = $Code; logs = @($Logs); items = @($Items); hint = $null }
    if ($Hint) { $facts['hint'] = $Hint }
    if ($HResult) { $facts['hresult'] = $HResult }
    $exception.Data['reseal'] = $facts
    throw $exception
}

function Write-Log {
    param([string]$Text)
    [Console]::Out.WriteLine($Text)
}

function Get-Field {
    # A property of an object from JSON, or $null where it is missing.
    param($Object, [Parameter(Mandatory)][string]$Name)
    if ($null -eq $Object) { return $null }
    $property = $Object.PSObject.Properties[$Name]
    if ($null -eq $property) { return $null }
    return $property.Value
}

function Get-RegValue {
    # A value of the registry, or $null where the key or the value is missing.
    param([Parameter(Mandatory)][string]$Path, [Parameter(Mandatory)][string]$Name)
    $item = Get-Item -LiteralPath $Path -ErrorAction SilentlyContinue
    if ($null -eq $item) { return $null }
    return $item.GetValue($Name, $null)
}

function Get-RegNumber {
    # A number of the registry, or $null where there is none: `$null -as [long]` is 0, which would be a value.
    param([Parameter(Mandatory)][string]$Path, [Parameter(Mandatory)][string]$Name)
    $value = Get-RegValue $Path $Name
    if ($null -eq $value) { return $null }
    return $value -as [long]
}

function Get-ErrorCode {
    # The HRESULT of the innermost exception as 0x80070005.
    param([Parameter(Mandatory)][Exception]$Exception)
    $inner = $Exception
    while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
    return '0x{0:X8}' -f $inner.HResult
}

function ConvertTo-Code {
    # An exit code as an unsigned 32-bit number, whatever form Windows gave it.
    param([Parameter(Mandatory)][long]$Code)
    return [long]($Code -band [long]4294967295)
}

function Get-UtcText {
    param([Parameter(Mandatory)][DateTime]$Time)
    return $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
}

function Get-FileSha256 {
    param([Parameter(Mandatory)][string]$Path)
    return (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash.ToLowerInvariant()
}

function New-StepResult {
    # The result of a step operation with every field.
    param([bool]$Changed = $false, [bool]$Already = $false, [string]$Detail = '')
    return [ordered]@{
        changed         = $Changed
        already         = $Already
        reboot_required = $false
        exit_code       = $null
        detail          = $Detail
        before          = $null
        after           = $null
        logs            = @()
        warnings        = @()
        items           = @()
        more            = $false
    }
}
