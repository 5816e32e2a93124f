# Facts: many questions, of which each may fail by itself.

function Set-Fact {
    # A fact that cannot be read is $null and has a line in "problems"; the others go on.
    param([Collections.Specialized.OrderedDictionary]$Facts, [string]$Name, [scriptblock]$Read)
    try {
        $Facts[$Name] = & $Read
    } catch {
        $Facts[$Name] = $null
        $null = $Facts['problems'].Add([ordered]@{ fact = $Name; message = [string]$_.Exception.Message })
    }
}

function New-Facts {
    return [ordered]@{ problems = New-Object Collections.ArrayList }
}
