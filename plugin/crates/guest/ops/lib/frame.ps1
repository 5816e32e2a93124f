# Frame: runs Invoke-Operation of the body once and answers exactly once.
# The answer goes to standard output, or to the file that a launcher names in $global:ResealAnswerFile.

# Under a policy that lets PowerShell call nothing of .NET no answer can be put together, so this one is written out: the error
# `restricted_language`. (A test reads it.)
if ([string]$ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
    '##reseal:result:eyJvayI6ZmFsc2UsImVycm9yIjp7ImtpbmQiOiJyZXN0cmljdGVkX2xhbmd1YWdlIiwibWVzc2FnZSI6IlBvd2VyU2hlbGwgbWF5IGNhbGwgbm90aGluZyBvZiAuTkVUIG9yIENPTSBpbiB0aGlzIGxhbmd1YWdlIG1vZGUiLCJoaW50IjoibGlmdCB0aGUgV0RBQyBvciBBcHBMb2NrZXIgcG9saWN5LCBvciB0YWtlIGEgYmFzZSBpbWFnZSB3aXRob3V0IGl0In19'
    return
}

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$global:ResealAnswered = $false

function ConvertTo-Plain {
    # Bare values: what PowerShell has wrapped, ConvertTo-Json of 5.1 writes as {"value":...,"Count":...}.
    param($Value)
    if ($null -eq $Value) { return $null }
    $bare = $Value.PSObject.BaseObject
    if ($bare -is [string] -or $bare -is [ValueType]) { return $bare }
    if ($bare -is [Collections.IDictionary]) {
        $map = [ordered]@{}
        foreach ($key in @($bare.Keys)) { $map[[string]$key] = ConvertTo-Plain $bare[$key] }
        return $map
    }
    if ($bare -is [Collections.IEnumerable]) {
        $list = [object[]]@(foreach ($item in $bare) { , (ConvertTo-Plain $item) })
        return , $list
    }
    if ($bare -is [Management.Automation.PSCustomObject]) {
        $map = [ordered]@{}
        foreach ($property in $Value.PSObject.Properties) { $map[$property.Name] = ConvertTo-Plain $property.Value }
        return $map
    }
    return [string]$bare
}

function Send-Answer {
    param([Parameter(Mandatory)]$Answer)
    if ($global:ResealAnswered) { throw 'This operation has answered already.' }
    $json = ConvertTo-Json -InputObject (ConvertTo-Plain $Answer) -Compress -Depth 12
    $global:ResealAnswered = $true
    $file = Get-Variable -Name ResealAnswerFile -Scope Global -ErrorAction SilentlyContinue
    if ($null -ne $file -and $file.Value) {
        $new = [string]$file.Value + '.new'
        [IO.File]::WriteAllText($new, $json, (New-Object Text.UTF8Encoding($false)))
        [IO.File]::Move($new, [string]$file.Value)
        return
    }
    [Console]::Out.WriteLine('##reseal:result:' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($json)))
    [Console]::Out.Flush()
}

function Send-Result {
    param([Parameter(Mandatory)]$Result)
    Send-Answer ([ordered]@{ ok = $true; result = $Result })
}

function Send-Failure {
    param([Parameter(Mandatory)][Management.Automation.ErrorRecord]$Record)
    $exception = $Record.Exception
    $named = $exception
    while ($null -ne $named -and -not $named.Data.Contains('reseal')) { $named = $named.InnerException }
    $inner = $exception
    while ($null -ne $inner.InnerException) { $inner = $inner.InnerException }
    $failure = [ordered]@{
        message = [string]$inner.Message
        kind    = 'unexpected'
        line    = [int]$Record.InvocationInfo.ScriptLineNumber
        hresult = '0x{0:X8}' -f $inner.HResult
        code    = $null
        hint    = $null
        logs    = @()
        items   = @()
    }
    if ($failure.hresult -eq '0x80070005') { $failure.kind = 'access_denied' }
    if ($null -ne $named) {
        foreach ($key in @($named.Data['reseal'].Keys)) { $failure[$key] = $named.Data['reseal'][$key] }
        $failure.message = [string]$named.Message
    }
    Send-Answer ([ordered]@{ ok = $false; error = $failure })
}

try {
    $operationInput = ConvertFrom-Json -InputObject $InputJson
    $null = Invoke-Operation -In $operationInput
    if (-not $global:ResealAnswered) { throw 'The operation ended without an answer.' }
} catch {
    if ($global:ResealAnswered) { throw }
    Send-Failure -Record $_
}
