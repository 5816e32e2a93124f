# Undo: what is changed for a while only, written down so that it can be taken back: by the sysprep wrapper, or when asked.

function Add-Undo {
    # One numbered entry; the wrapper reads them backwards.
    param([Parameter(Mandatory)][string]$Key, [Parameter(Mandatory)]$Entry)
    $path = Join-Path $Key 'Undo'
    if (-not (Test-Path -LiteralPath $path)) { $null = New-Item -Path $path -Force }
    # Notes can have been taken out of the middle, so counting them is not enough.
    $last = @((Get-Item -LiteralPath $path).GetValueNames() | ForEach-Object { $_ -as [int] } | Sort-Object | Select-Object -Last 1)
    $number = if ($last.Count -gt 0) { [int]$last[0] + 1 } else { 0 }
    $null = New-ItemProperty -LiteralPath $path -Name ('{0:D4}' -f $number) -PropertyType String -Value (ConvertTo-Json -InputObject $Entry -Compress -Depth 4) -Force
}

function Set-ValueForNow {
    # Sets a number in the registry until the image is taken. True when it was another. $Fix names the cure that wants it.
    param([string]$Key, [string]$Path, [string]$Name, [int]$Value, [string]$Fix = '')
    if (-not (Test-Path -LiteralPath $Path)) { $null = New-Item -Path $Path -Force }
    $before = (Get-Item -LiteralPath $Path).GetValue($Name, $null)
    if (($before -as [int]) -eq $Value) { return $false }
    $note = [ordered]@{ kind = 'value'; path = $Path; name = $Name; existed = ($null -ne $before); data = $before }
    if ($Fix) { $note['fix'] = $Fix }
    Add-Undo $Key $note
    $null = New-ItemProperty -LiteralPath $Path -Name $Name -PropertyType DWord -Value $Value -Force
    return $true
}

function Undo-Value {
    # Back to what a value of the registry was before.
    param([Parameter(Mandatory)]$Entry)
    if ($Entry.existed) {
        Set-ItemProperty -LiteralPath $Entry.path -Name $Entry.name -Value $Entry.data
    } elseif ($null -ne (Get-RegValue $Entry.path $Entry.name)) {
        Remove-ItemProperty -LiteralPath $Entry.path -Name $Entry.name -Force
    }
}
