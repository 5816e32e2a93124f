<#
.SYNOPSIS
Takes back what cures have changed for a while. What a build has noted for itself is not touched.
.DESCRIPTION
The input and the result are described in README.md beside this file.
.PARAMETER InputJson
The input as JSON text.
#>
[CmdletBinding()]
param([Parameter(Mandatory = $true)][string]$InputJson)

function Undo-Noted {
    # One change, and its note with it; a change that cannot be taken back keeps its note.
    param([string]$Path, [string]$Name, $Entry)
    $done = $true
    $detail = if ($Entry.existed) { "back to $($Entry.data)" } else { 'not set any more' }
    try {
        Undo-Value $Entry
        Remove-ItemProperty -LiteralPath $Path -Name $Name -Force
    } catch {
        $done = $false
        $detail = [string]$_.Exception.Message
    }
    return [ordered]@{ fix = [string]$Entry.fix; path = [string]$Entry.path; name = [string]$Entry.name; done = $done; detail = $detail }
}

function Remove-EmptyKey {
    param([string]$Path)
    $key = Get-Item -LiteralPath $Path -ErrorAction SilentlyContinue
    if ($null -eq $key) { return }
    $empty = @($key.GetValueNames()).Count -eq 0 -and @(Get-ChildItem -LiteralPath $Path -ErrorAction SilentlyContinue).Count -eq 0
    $key.Dispose()
    if ($empty) { Remove-Item -LiteralPath $Path -Force }
}

function Invoke-Operation {
    param($In)
    $path = Join-Path $In.undo_key 'Undo'
    $key = Get-Item -LiteralPath $path -ErrorAction SilentlyContinue
    $notes = if ($null -eq $key) { @() } else { @($key.GetValueNames() | Sort-Object -Descending) }
    $changes = @(foreach ($name in $notes) {
            $entry = ConvertFrom-Json -InputObject ([string]$key.GetValue($name))
            if ((Get-Field $entry 'fix') -and $entry.kind -eq 'value') { Undo-Noted $path $name $entry }
        })
    if ($null -ne $key) { $key.Dispose() }
    Remove-EmptyKey $path
    Remove-EmptyKey ([string]$In.undo_key)
    Send-Result ([ordered]@{ changes = $changes })
}
