<#
.SYNOPSIS
Reads every guest script with the parser of the PowerShell that runs this; fails when one does not parse.
#>
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2
if ($PSVersionTable.PSVersion.Major -ne 5) { throw "this must run in Windows PowerShell 5.1, not in $($PSVersionTable.PSVersion)" }
$scripts = @(Get-ChildItem -Path 'plugin/crates' -Filter '*.ps1' -Recurse) + @(Get-ChildItem -Path 'examples' -Filter '*.ps1' -Recurse)
$bad = 0
foreach ($script in $scripts) {
    $tokens = $null
    $problems = $null
    [void][Management.Automation.Language.Parser]::ParseFile($script.FullName, [ref]$tokens, [ref]$problems)
    foreach ($problem in $problems) {
        $bad++
        Write-Output ('::error file={0},line={1}::{2}' -f $script.FullName, $problem.Extent.StartLineNumber, $problem.Message)
    }
}
Write-Output "$($scripts.Count) scripts read, $bad problems"
if ($bad -gt 0 -or $scripts.Count -eq 0) { exit 1 }
