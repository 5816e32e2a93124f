# Evidence: the four proofs that a machine is generalized.

function Get-Evidence {
    # A tag that is older than $Since is of an earlier run, and no proof.
    param($Since = $null)
    $tag = Get-Item -LiteralPath (Join-Path $env:SystemRoot 'System32\Sysprep\Sysprep_succeeded.tag') -ErrorAction SilentlyContinue
    $status = 'HKLM:\SYSTEM\Setup\Status\SysprepStatus'
    $evidence = [ordered]@{
        tag                  = ($null -ne $tag -and ($null -eq $Since -or $tag.LastWriteTimeUtc -ge $Since))
        tag_utc              = if ($null -ne $tag) { Get-UtcText $tag.LastWriteTimeUtc } else { $null }
        image_state          = [string](Get-RegValue 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State' 'ImageState')
        generalization_state = Get-RegNumber $status 'GeneralizationState'
        cleanup_state        = Get-RegNumber $status 'CleanupState'
        setup_type           = Get-RegNumber 'HKLM:\SYSTEM\Setup' 'SetupType'
        cmd_line             = [string](Get-RegValue 'HKLM:\SYSTEM\Setup' 'CmdLine')
        good                 = $false
    }
    $image = $evidence.image_state -eq 'IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE' -and $evidence.generalization_state -eq 4
    $evidence.good = $evidence.tag -and $image -and $evidence.setup_type -eq 2 -and $evidence.cmd_line -like '*windeploy*'
    return $evidence
}
