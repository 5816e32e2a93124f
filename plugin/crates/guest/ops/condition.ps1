<#
.SYNOPSIS
Evaluates a condition of the spec.
.DESCRIPTION
Runs the text as a script block of its own. The condition holds when its last output is true; a text that throws is a
mistake of the spec and named so.
#>
param([Parameter(Mandatory)][string]$InputJson)

function Invoke-Operation {
    param([Parameter(Mandatory)]$In)
    try {
        $block = [scriptblock]::Create([string]$In.script)
        $output = @(& $block)
    } catch {
        Stop-Operation -Kind 'condition_failed' -Message $_.Exception.Message -Hint 'the condition must end with a value that is true or false'
    }
    $value = $false
    if ($output.Count -gt 0) { $value = [bool]$output[-1] }
    Send-Result ([ordered]@{ value = $value })
}
