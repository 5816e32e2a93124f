# Payload: a file is what it should be, before anything in it is executed.

function Assert-Payload {
    param([Parameter(Mandatory)]$Payload)
    $path = $Payload.path
    if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
        Stop-Operation -Kind 'missing_file' -Message "The file $path is not in the guest."
    }
    $size = (Get-Item -LiteralPath $path -Force).Length
    if ($null -ne $Payload.size -and [long]$Payload.size -ne [long]$size) {
        Stop-Operation -Kind 'hash_mismatch' -Message "The file $path has $size bytes instead of $($Payload.size)."
    }
    if ($null -ne $Payload.sha256) {
        $hash = Get-FileSha256 $path
        if ($hash -ne $Payload.sha256) {
            Stop-Operation -Kind 'hash_mismatch' -Message "The file $path has the SHA-256 $hash instead of $($Payload.sha256)."
        }
    }
    if ($null -ne $Payload.publisher) { Assert-Publisher -Path $path -Publisher $Payload.publisher }
    Unblock-File -LiteralPath $path -ErrorAction SilentlyContinue
}

function Get-SignatureFacts {
    param([Parameter(Mandatory)][string]$Path)
    $signature = Get-AuthenticodeSignature -LiteralPath $Path
    $status = switch ([string]$signature.Status) {
        'Valid' { 'valid' }
        'NotSigned' { 'not_signed' }
        'HashMismatch' { 'hash_mismatch' }
        'NotTrusted' { 'not_trusted' }
        default { 'unknown' }
    }
    $certificate = $signature.SignerCertificate
    $kind = 'none'
    if ($status -ne 'not_signed') { $kind = if ([string]$signature.SignatureType -eq 'Catalog') { 'catalog' } else { 'authenticode' } }
    return [ordered]@{
        status     = $status
        subject    = if ($null -ne $certificate) { [string]$certificate.Subject } else { $null }
        thumbprint = if ($null -ne $certificate) { [string]$certificate.Thumbprint } else { $null }
        not_after  = if ($null -ne $certificate) { Get-UtcText $certificate.NotAfter } else { $null }
        kind       = $kind
    }
}

function Assert-Publisher {
    param([Parameter(Mandatory)][string]$Path, [Parameter(Mandatory)][string]$Publisher)
    $facts = Get-SignatureFacts $Path
    if ($facts.status -eq 'not_signed') {
        Stop-Operation -Kind 'not_signed' -Message "The file $Path is not signed, but the publisher '$Publisher' is asked for."
    }
    if ($facts.status -ne 'valid') {
        $hint = 'A guest without the internet may lack the root certificate; check by SHA-256 instead.'
        Stop-Operation -Kind 'signature_invalid' -Message "The signature of $Path is not valid ($($facts.status))." -Hint $hint
    }
    if ($facts.subject.IndexOf($Publisher, [StringComparison]::OrdinalIgnoreCase) -lt 0) {
        Stop-Operation -Kind 'wrong_publisher' -Message "The file $Path is signed by '$($facts.subject)', not by '$Publisher'."
    }
}
