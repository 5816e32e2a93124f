# Providers: libraries of other makers that take part in sysprep.

function Get-ProviderFile {
    # The library in "library,entry point"; one without a folder is in System32.
    param([string]$Command)
    $path = [Environment]::ExpandEnvironmentVariables(($Command -replace ',[^,\\]*$', '').Trim().Trim('"'))
    if ($path -match '[\\/]') { return $path }
    return Join-Path $env:SystemRoot "System32\$path"
}

function Get-ExternalProviders {
    $root = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\SysPrepExternal'
    $found = @(foreach ($pass in 'Cleanup', 'Generalize', 'Specialize') {
            $key = Get-Item -LiteralPath "$root\$pass" -ErrorAction SilentlyContinue
            if ($null -eq $key) { continue }
            foreach ($name in $key.GetValueNames()) {
                $command = [string]$key.GetValue($name)
                $file = Get-Item -LiteralPath (Get-ProviderFile $command) -Force -ErrorAction SilentlyContinue
                $hidden = $null -ne $file -and [bool]($file.Attributes -band [IO.FileAttributes]::Hidden)
                [ordered]@{ pass = $pass; name = [string]$name; command = $command; found = ($null -ne $file); hidden = $hidden }
            }
        })
    return , $found
}
