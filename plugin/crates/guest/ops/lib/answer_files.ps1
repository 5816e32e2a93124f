# Answer files: the places where Setup finds one by itself, and where earlier runs leave theirs.

function Find-AnswerFiles {
    # Full paths, each once. What is at $Except is ours and passed over.
    param([string]$Except = '')
    $windows = [string]$env:SystemRoot
    $drive = [string]$env:SystemDrive
    $places = @(
        "$windows\Panther\unattend*.xml", "$windows\Panther\Unattend\*.xml", "$windows\System32\Sysprep\unattend.xml",
        "$windows\System32\Sysprep\Panther\unattend*.xml", "$drive\unattend.xml", "$drive\autounattend.xml"
    )
    $found = @(foreach ($place in $places) { Get-ChildItem -Path $place -File -Force -ErrorAction SilentlyContinue | ForEach-Object { $_.FullName } })
    return , @($found | Where-Object { $_ -ne $Except } | Sort-Object -Unique)
}

function Get-NamedAnswerFile {
    # Setup looks here before anywhere else.
    return [string](Get-RegValue 'HKLM:\SYSTEM\Setup' 'UnattendFile')
}

function Remove-AnswerFiles {
    # What was removed, and what could not be.
    param([string]$Except = '')
    $removed = New-Object Collections.ArrayList
    $left = New-Object Collections.ArrayList
    foreach ($path in (Find-AnswerFiles $Except)) {
        try {
            Remove-Item -LiteralPath $path -Force
            $null = $removed.Add($path)
        } catch {
            $null = $left.Add("$path ($($_.Exception.Message))")
        }
    }
    if (Get-NamedAnswerFile) {
        Remove-ItemProperty -LiteralPath 'HKLM:\SYSTEM\Setup' -Name 'UnattendFile' -Force
        $null = $removed.Add('HKLM:\SYSTEM\Setup, UnattendFile')
    }
    return @{ removed = @($removed.ToArray()); left = @($left.ToArray()) }
}
