# Undo: what is changed for the build only, written down so that the sysprep wrapper can take it back.

function Add-Undo {
    # One numbered entry; the wrapper reads them backwards.
    param([Parameter(Mandatory)][string]$Key, [Parameter(Mandatory)]$Entry)
    $path = Join-Path $Key 'Undo'
    if (-not (Test-Path -LiteralPath $path)) { $null = New-Item -Path $path -Force }
    $number = @((Get-Item -LiteralPath $path).GetValueNames()).Count
    $null = New-ItemProperty -LiteralPath $path -Name ('{0:D4}' -f $number) -PropertyType String -Value (ConvertTo-Json -InputObject $Entry -Compress -Depth 4) -Force
}

function Set-ValueForNow {
    # Sets a number in the registry until the image is taken. True when it was another.
    param([string]$Key, [string]$Path, [string]$Name, [int]$Value)
    if (-not (Test-Path -LiteralPath $Path)) { $null = New-Item -Path $Path -Force }
    $before = (Get-Item -LiteralPath $Path).GetValue($Name, $null)
    if (($before -as [int]) -eq $Value) { return $false }
    Add-Undo $Key ([ordered]@{ kind = 'value'; path = $Path; name = $Name; existed = ($null -ne $before); data = $before })
    $null = New-ItemProperty -LiteralPath $Path -Name $Name -PropertyType DWord -Value $Value -Force
    return $true
}
